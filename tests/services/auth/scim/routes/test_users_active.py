import asyncio
from typing import Any

import httpx
import pytest

from tests.services.auth.people import PASSWORD, SignedIn, SignIn, claims_of
from tests.services.auth.post import PostOffice
from tests.services.auth.scim.directory import (
    GATEWAY,
    USERS,
    Directory,
    account_of,
    assert_refused,
    journal_of,
    key_of,
    wanted,
)
from tests.support.database import Databases
from tests.support.services import service_headers

pytestmark = pytest.mark.stack

REVOCATIONS = service_headers("gateway", "revocations:read", target="auth")


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "replace", "path": "active", "value": False},
        {"op": "replace", "value": {"active": False}},
    ],
)
async def test_who_is_set_inactive_is_out_at_once_and_comes_back(
    directory: Directory,
    client: httpx.AsyncClient,
    boss: SignedIn,
    make_user: SignIn,
    sign_in: SignIn,
    operation: dict[str, Any],
):
    ada = await make_user()
    path = f"{USERS}/{ada.user['id']}"
    key = (await key_of(ada, "inventory:read"))["key"]

    off = await directory.patch(path, operation)

    assert (off.status_code, off.json()["active"]) == (200, False)
    assert (await account_of(boss, ada.user["id"]))["status"] == "deactivated"
    revoked = (await client.get("/internal/revocations", headers=REVOCATIONS)).json()
    assert revoked["versions"][ada.user["id"]] > claims_of(ada.access_token)["ver"]
    refreshed = await client.post("/api/auth/refresh", json={"refresh_token": ada.refresh_token})
    assert refreshed.status_code == 401
    exchanged = await client.post("/internal/api-keys/exchange", json={"key": key}, headers=GATEWAY)
    assert exchanged.status_code == 401
    assert [one["id"] for one in await directory.look_up("active eq false")] == [ada.user["id"]]
    on = await directory.patch(path, {"op": "replace", "path": "active", "value": "True"})
    assert on.json()["active"] is True
    assert (await sign_in(ada.email, tenant=boss.tenant)).user["id"] == ada.user["id"]


async def test_a_removed_account_is_there_no_more_but_what_it_did_is(
    directory: Directory, boss: SignedIn, databases: Databases
):
    body = wanted()
    one = (await directory.send("POST", USERS, body)).json()
    path = one["meta"]["location"]

    removed = await directory.send("DELETE", path)

    assert (removed.status_code, removed.content) == (204, b"")
    for answer in (await directory.send("GET", path), await directory.send("DELETE", path)):
        assert_refused(answer, 404)
    assert await directory.look_up(f'userName eq "{body["userName"]}"') == []
    assert (await account_of(boss, one["id"]))["status"] == "deactivated"
    kinds = [kind for kind, _, of in await journal_of(databases, boss) if one["id"] in of]
    assert {"auth.user-deactivated.v1", "auth.provisioned-user-removed.v1"} <= set(kinds)


async def test_an_account_that_was_removed_is_taken_into_use_again(
    directory: Directory, boss: SignedIn
):
    body = wanted()
    one = (await directory.send("POST", USERS, body)).json()
    await directory.send("DELETE", one["meta"]["location"])

    again = await directory.send("POST", USERS, body | {"displayName": "Back"})

    assert again.status_code == 201, again.text
    assert (again.json()["id"], again.json()["active"]) == (one["id"], True)
    account = await account_of(boss, one["id"])
    assert (account["status"], account["name"]) == ("active", "Back")


async def test_an_account_may_come_inactive(directory: Directory, boss: SignedIn):
    one = await directory.add(active="False")

    assert one["active"] is False
    assert (await account_of(boss, one["id"]))["status"] == "deactivated"


async def test_a_lock_is_not_the_directorys(directory: Directory, boss: SignedIn):
    one = await directory.add()
    await boss.client.post(f"/api/users/{one['id']}/lock", headers=boss.headers())

    kept = await directory.patch(
        one["meta"]["location"], {"op": "replace", "path": "active", "value": True}
    )

    assert kept.json()["active"] is True
    assert (await account_of(boss, one["id"]))["status"] == "locked"


async def test_who_has_no_password_gets_one_by_mail(
    directory: Directory, client: httpx.AsyncClient, boss: SignedIn, post: Any, sign_in: SignIn
):
    one = await directory.add()
    asked = {"email": one["userName"], "tenant": boss.tenant}

    await client.post("/api/auth/forgot-password", json=asked)
    token = await post.token_to(one["userName"])
    await client.post("/api/auth/reset-password", json={"token": token, "new_password": PASSWORD})

    assert (await sign_in(one["userName"], tenant=boss.tenant)).user["id"] == one["id"]


async def test_an_address_of_the_directorys_ends_what_was_mailed_to_the_one_before(
    directory: Directory, client: httpx.AsyncClient, make_user: SignIn, post: PostOffice
):
    ada = await make_user("ada.before@example.com")
    asked = {"email": ada.email, "tenant": ada.tenant}
    await client.post("/api/auth/forgot-password", json=asked)
    token = await post.token_to(ada.email)

    moved = await directory.patch(
        f"{USERS}/{ada.user['id']}",
        {"op": "replace", "path": "emails", "value": [{"value": "ada.after@example.com"}]},
    )
    reset = await client.post(
        "/api/auth/reset-password",
        json={"token": token, "new_password": "gravel umbrella sonnet 7"},
    )

    assert (moved.status_code, reset.json()["code"]) == (200, "token_invalid")
    assert (await post.to(ada.email))[-1]["Subject"] == "Your address was changed"


async def test_who_was_removed_comes_back_without_password_and_rights(
    directory: Directory, client: httpx.AsyncClient, make_user: SignIn, boss: SignedIn
):
    ada = await make_user("ada.back@example.com", role="manager")
    removed = await directory.send("DELETE", f"{USERS}/{ada.user['id']}")

    again = await directory.add(userName="ada.back@example.com")

    assert (removed.status_code, again["id"]) == (204, ada.user["id"])
    assert (await account_of(boss, ada.user["id"]))["role"] == "viewer"
    body = {"email": ada.email, "password": PASSWORD, "tenant": ada.tenant}
    refused = await client.post("/api/auth/login", json=body)
    assert refused.json()["code"] == "invalid_credentials"


async def test_administrators_are_changed_at_once_and_each_waits_for_the_other(
    directory: Directory, make_user: SignIn
):
    people = [await make_user(f"boss{n}@example.com", role="admin") for n in range(3)]
    off = {"op": "replace", "path": "active", "value": False}

    answers = await asyncio.gather(
        *(directory.patch(f"{USERS}/{one.user['id']}", off) for one in people)
    )

    assert [answer.status_code for answer in answers] == [200, 200, 200]
