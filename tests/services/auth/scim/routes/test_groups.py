from typing import Any

import pytest

from tests.services.auth.people import SignedIn, SignIn, claims_of
from tests.services.auth.scim.directory import (
    GROUPS,
    USERS,
    Directory,
    account_of,
    assert_refused,
    directory_of,
    journal_of,
)
from tests.support.database import Databases
from tests.support.services import service_headers

pytestmark = pytest.mark.stack

REVOCATIONS = service_headers("gateway", "revocations:read", target="auth")


def joins(*ids: str) -> dict[str, Any]:
    return {"op": "Add", "path": "members", "value": [{"value": one} for one in ids]}


async def members_of(directory: Directory, name: str) -> set[str]:
    group = (await directory.send("GET", f"{GROUPS}/{name}")).json()
    return {member["value"] for member in group["members"]}


async def test_each_role_is_a_group_of_who_has_it(directory: Directory, boss: SignedIn):
    listed = (await directory.send("GET", f"{GROUPS}?excludedAttributes=members")).json()
    (admins,) = await directory.look_up('displayName eq "admin"', GROUPS)
    (of_boss,) = await directory.look_up(f'members.value eq "{boss.user["id"]}"', GROUPS)

    names = [group["displayName"] for group in listed["Resources"]]
    assert names == ["admin", "manager", "clerk", "viewer", "auditor"]
    assert all("members" not in group for group in listed["Resources"])
    assert [member["value"] for member in admins["members"]] == [boss.user["id"]]
    assert of_boss["id"] == admins["id"] == "admin"
    assert_refused(await directory.send("GET", f"{GROUPS}/owner"), 404)
    assert_refused(await directory.send("GET", f'{GROUPS}?filter=displayName sw "a"'), 400,
                   "invalidFilter")  # fmt: skip


async def test_a_member_gets_the_role_and_tokens_with_the_old_one_end(
    directory: Directory, boss: SignedIn, make_user: SignIn, databases: Databases
):
    ada = await make_user(role="clerk")
    user_id = ada.user["id"]

    joined = await directory.patch(f"{GROUPS}/manager", joins(user_id))

    assert joined.status_code == 204
    assert (await account_of(boss, user_id))["role"] == "manager"
    assert user_id not in await members_of(directory, "clerk")
    revoked = (await ada.client.get("/internal/revocations", headers=REVOCATIONS)).json()
    assert revoked["versions"][user_id] > claims_of(ada.access_token)["ver"]
    entries = await journal_of(databases, boss)
    assert (
        "auth.user-role-changed.v1", f"key:{directory.key_id}", f"user:{user_id}"
    ) in entries  # fmt: skip


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": 'members[value eq "{id}"]'},
        {"op": "Remove", "path": "members", "value": [{"value": "{id}"}]},
        {"op": "remove", "path": "members"},
        {"op": "replace", "path": "members", "value": []},
        {"op": "replace", "value": {"members": []}},
    ],
)
async def test_who_leaves_a_group_is_a_viewer(
    directory: Directory, boss: SignedIn, operation: dict[str, Any]
):
    one = await directory.add()
    await directory.patch(f"{GROUPS}/manager", joins(one["id"]))
    named = {name: _named(value, one["id"]) for name, value in operation.items()}

    left = await directory.patch(f"{GROUPS}/manager", named)

    assert left.status_code == 204, left.text
    assert (await account_of(boss, one["id"]))["role"] == "viewer"
    assert await members_of(directory, "manager") == set()


def _named(value: Any, user_id: str) -> Any:
    if isinstance(value, list):
        return [_named(one, user_id) for one in value]
    if isinstance(value, dict):
        return {name: _named(one, user_id) for name, one in value.items()}
    return value.replace("{id}", user_id)


async def test_a_move_ends_in_the_new_group_whichever_comes_first(
    directory: Directory, boss: SignedIn
):
    one, other = await directory.add(), await directory.add()
    await directory.patch(f"{GROUPS}/clerk", joins(one["id"], other["id"]))

    await directory.patch(f"{GROUPS}/auditor", joins(one["id"]))
    leaves = {"op": "remove", "path": f'members[value eq "{one["id"]}"]'}
    await directory.patch(f"{GROUPS}/clerk", leaves)
    await directory.patch(f"{GROUPS}/clerk", leaves | {
        "path": f'members[value eq "{other["id"]}"]'})  # fmt: skip
    await directory.patch(f"{GROUPS}/auditor", joins(other["id"]))

    assert await members_of(directory, "auditor") == {one["id"], other["id"]}


async def test_the_last_administrator_stays_one(directory: Directory, boss: SignedIn):
    one = await directory.add()
    leaves = {"op": "remove", "path": f'members[value eq "{boss.user["id"]}"]'}

    alone = await directory.patch(f"{GROUPS}/admin", leaves)
    demoted = await directory.patch(f"{GROUPS}/viewer", joins(boss.user["id"]))
    replaced = await directory.send("PUT", f"{GROUPS}/admin", {"displayName": "admin"})
    off = await directory.patch(
        f"{USERS}/{boss.user['id']}", {"op": "replace", "path": "active", "value": False}
    )
    handed_over = await directory.send(
        "PUT", f"{GROUPS}/admin", {"displayName": "admin", "members": [{"value": one["id"]}]}
    )

    for refused in (alone, demoted, replaced, off):
        assert "administrator must remain" in assert_refused(refused, 409)
    assert handed_over.status_code == 200, handed_over.text
    assert [member["value"] for member in handed_over.json()["members"]] == [one["id"]]


async def test_groups_are_not_made_renamed_or_removed(directory: Directory):
    answers = [
        await directory.send("POST", GROUPS, {"displayName": "Buyers"}),
        await directory.send("PUT", f"{GROUPS}/clerk", {"displayName": "Buyers"}),
        await directory.patch(
            f"{GROUPS}/clerk", {"op": "replace", "path": "displayName", "value": "Buyers"}
        ),
        await directory.send("DELETE", f"{GROUPS}/clerk"),
    ]

    for answer in answers:
        assert "roles" in assert_refused(answer, 400, "mutability")


async def test_a_change_names_somebody_who_is_there(directory: Directory, make_tenant: Any):
    theirs = await (await directory_of(await make_tenant())).add()
    one = await directory.add()

    for member in (theirs["id"], "nobody"):
        answer = await directory.patch(f"{GROUPS}/manager", joins(one["id"], member))
        assert member in assert_refused(answer, 400, "invalidValue")
    for operation in ({"op": "add", "path": "members"}, {"op": "remove"}, joins() | {"path": "x"}):
        answer = await directory.patch(f"{GROUPS}/manager", operation)
        assert_refused(answer, 400, "noTarget")
    assert await members_of(directory, "manager") == set()
