import secrets
from typing import Any

import pytest

from tests.services.auth.people import SignedIn
from tests.services.auth.scim.directory import (
    Directory,
    account_of,
    assert_refused,
    wanted,
)
from tests.support.services import service_headers

pytestmark = pytest.mark.stack

REVOCATIONS = service_headers("gateway", "revocations:read", target="auth")


async def test_a_put_lets_the_account_be_as_the_directory_says(
    directory: Directory, boss: SignedIn
):
    one = await directory.add(displayName="Ada L.")
    address = f"{secrets.token_hex(6)}@example.com"
    body = wanted(userName="countess", externalId=None, name={"formatted": "The Countess"},
                  emails=[{"value": address, "type": "work"}], active=None)  # fmt: skip

    answer = await directory.send("PUT", one["meta"]["location"], body)

    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert (shown["userName"], shown["name"]) == ("countess", {"formatted": "The Countess"})
    assert not {"externalId", "displayName"} & shown.keys()
    assert shown["active"] is True
    account = await account_of(boss, one["id"])
    assert (account["email"], account["name"]) == (address, "The Countess")
    assert [u["id"] for u in await directory.look_up('userName eq "countess"')] == [one["id"]]
    assert await directory.look_up(f'userName eq "{one["userName"]}"') == []


async def test_what_a_user_changed_himself_stays_until_the_directory_does_too(
    directory: Directory, boss: SignedIn
):
    one = await directory.add()
    await boss.client.patch(
        f"/api/users/{one['id']}", json={"name": "Own Name"}, headers=boss.headers()
    )

    same = await directory.patch(
        one["meta"]["location"], {"op": "replace", "path": "externalId", "value": "8"}
    )
    kept = (await account_of(boss, one["id"]))["name"]
    await directory.patch(
        one["meta"]["location"], {"op": "replace", "path": "name.givenName", "value": "Augusta"}
    )

    assert same.status_code == 200
    assert kept == "Own Name"
    assert (await account_of(boss, one["id"]))["name"] == "Augusta Lovelace"


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([{"op": "Replace", "path": "displayName", "value": "A"}], {"displayName": "A"}),
        ([{"op": "Add", "path": "name.givenName", "value": "B"}],
         {"name": {"givenName": "B", "familyName": "Lovelace"}}),
        ([{"op": "replace", "value": {"name.familyName": "K", "displayName": "D"}}],
         {"name": {"givenName": "Ada", "familyName": "K"}, "displayName": "D"}),
        ([{"op": "replace", "value": {"name": {"familyName": "K"}}}],
         {"name": {"givenName": "Ada", "familyName": "K"}}),
        ([{"op": "replace", "path": 'emails[type eq "work"].value', "value": "w@example.com"}],
         {"emails": [{"value": "w@example.com", "type": "work", "primary": True}]}),
        ([{"op": "add", "path": 'emails[type eq "home"].value', "value": "h@example.com"},
          {"op": "remove", "path": 'emails[type eq "work"]'}],
         {"emails": [{"value": "h@example.com", "type": "home"}]}),
        ([{"op": "replace", "path": "emails", "value": {"value": "e@example.com"}}],
         {"emails": [{"value": "e@example.com"}]}),
        ([{"op": "remove", "path": "name"}, {"op": "remove", "path": "externalId"}],
         {"name": None, "externalId": None}),
        ([{"op": "add", "path": "title", "value": "Countess"},
          {"op": "add", "value": {
              "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department": "X"}}],
         {"displayName": None}),
        ([{"op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:displayName",
           "value": "U"}], {"displayName": "U"}),
    ],
)  # fmt: skip
async def test_changes_come_as_directories_send_them(
    directory: Directory, operations: list[dict[str, Any]], expected: dict[str, Any]
):
    one = await directory.add()

    answer = await directory.patch(one["meta"]["location"], *operations)

    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert {name: shown.get(name) for name in expected} == expected
    read = (await directory.send("GET", one["meta"]["location"])).json()
    assert read | {"meta": None} == shown | {"meta": None}


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ({"op": "replace", "path": "name[", "value": 1}, "invalidPath"),
        ({"op": "replace", "path": 'emails[type sw "w"].value', "value": "x"}, "invalidPath"),
        ({"op": "replace", "path": "active.x.y", "value": "x"}, "invalidPath"),
        ({"op": "remove"}, "noTarget"),
        ({"op": "replace", "value": "x"}, "noTarget"),
        ({"op": "remove", "path": "userName"}, "invalidValue"),
        ({"op": "replace", "path": "userName", "value": ["x"]}, "invalidValue"),
        ({"op": "replace", "path": 'emails[type eq "work"].value', "value": "none"},
         "invalidValue"),
        ({"op": "replace", "path": "active", "value": "maybe"}, "invalidValue"),
        ({"op": "destroy", "path": "active"}, "invalidValue"),
    ],
)  # fmt: skip
async def test_a_change_that_cannot_be_made_changes_nothing(
    directory: Directory, operation: dict[str, Any], kind: str
):
    one = await directory.add()
    first = {"op": "replace", "path": "displayName", "value": "Changed"}

    answer = await directory.patch(one["meta"]["location"], first, operation)

    assert_refused(answer, 400, kind)
    assert (await directory.send("GET", one["meta"]["location"])).json() == one
