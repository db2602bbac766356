import asyncio
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from tests.services.auth.people import PASSWORD, SignedIn, SignIn
from tests.services.auth.scim.directory import (
    SCIM,
    USERS,
    Directory,
    account_of,
    assert_refused,
    directory_of,
    journal_of,
    key_of,
    token_of,
    wanted,
)
from tests.support.database import Databases
from tests.support.services import service_headers

pytestmark = pytest.mark.stack

REVOCATIONS = service_headers("gateway", "revocations:read", target="auth")


async def test_a_directory_makes_an_account_that_is_verified_and_approved(
    directory: Directory, boss: SignedIn, databases: Databases
):
    body = wanted(preferredLanguage="fr-FR")

    made = await directory.send("POST", USERS, body)

    assert made.status_code == 201
    assert made.headers["content-type"] == SCIM
    shown = made.json()
    assert made.headers["location"] == shown["meta"]["location"] == f"{USERS}/{shown['id']}"
    assert made.headers["etag"] == shown["meta"]["version"]
    assert {name: shown[name] for name in body} == body
    assert [group["value"] for group in shown["groups"]] == ["viewer"]
    account = await account_of(boss, shown["id"])
    assert (account["status"], account["role"]) == ("active", "viewer")
    assert (account["email"], account["name"]) == (body["userName"], "Ada Lovelace")
    assert account["language"] == "fr"
    entries = [e for e in await journal_of(databases, boss) if e[2] == f"user:{shown['id']}"]
    assert [(kind, actor) for kind, actor, _ in entries] == [
        ("auth.user-registered.v1", f"key:{directory.key_id}"),
        ("auth.provisioned-user-saved.v1", f"key:{directory.key_id}"),
    ]


async def test_a_name_is_good_once_in_a_tenant_whatever_its_case(
    directory: Directory, make_tenant: Any
):
    body = wanted()
    await directory.send("POST", USERS, body)
    other = await directory_of(await make_tenant())

    again = await directory.send("POST", USERS, body | {"userName": body["userName"].upper()})
    elsewhere = await other.send("POST", USERS, body)

    assert "userName" in assert_refused(again, 409, "uniqueness")
    assert elsewhere.status_code == 201


async def test_of_many_who_take_a_name_at_once_one_gets_it(directory: Directory):
    body = wanted()

    answers = await asyncio.gather(*(directory.send("POST", USERS, body) for _ in range(5)))

    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409, 409]
    assert len(await directory.look_up(f'userName eq "{body["userName"]}"')) == 1


async def test_accounts_are_looked_up_as_directories_do(directory: Directory, boss: SignedIn):
    one = await directory.add()
    await directory.add()
    name, other_id = one["userName"], one["externalId"]

    for text in (
        f'userName eq "{name.upper()}"',
        f'USERNAME EQ "{name}"',
        f'externalId eq "{other_id}"',
        f'emails.value eq "{name}"',
        f'emails[type eq "work"].value eq "{name}"'.replace('[type eq "work"]', ""),
        f'id eq "{one["id"]}"',
        f'userName eq "{name}" and externalId eq "{other_id}" and active eq true',
        f'urn:ietf:params:scim:schemas:core:2.0:User:userName eq "{name}"',
    ):
        assert [found["id"] for found in await directory.look_up(text)] == [one["id"]], text
    assert await directory.look_up('userName eq "nobody@example.com"') == []
    assert await directory.look_up(f'userName eq "{name}" and active eq false') == []
    assert await directory.look_up('id eq "no id"') == []
    (own,) = await directory.look_up('userName eq "boss@example.com"')
    assert own["id"] == boss.user["id"]


@pytest.mark.parametrize(
    "text",
    [
        'userName sw "a"',
        'title eq "x"',
        'userName eq "a" or userName eq "b"',
        'not (userName eq "a")',
        "userName eq",
        "userName eq true",
        'active eq "true"',
        'userName eq "\\ud800"',
        " and ".join(['userName eq "a"'] * 11),
        "userName pr",
        '"',
    ],
)
async def test_a_filter_that_is_not_understood_is_refused(directory: Directory, text: str):
    response = await directory.client.get(
        USERS, params={"filter": text}, headers={"Authorization": f"Bearer {directory.token}"}
    )

    assert "userName" in assert_refused(response, 400, "invalidFilter")


async def test_a_list_is_read_page_by_page(directory: Directory):
    ids = [(await directory.add())["id"] for _ in range(4)]

    pages = [
        (await directory.send("GET", f"{USERS}?startIndex={at}&count=2")).json()
        for at in (1, 3, 5, 7)
    ]
    none = (await directory.send("GET", f"{USERS}?count=0")).json()
    all_of_them = (await directory.send("GET", f"{USERS}?startIndex=-3&count=1000")).json()

    assert [page["totalResults"] for page in pages] == [5] * 4  # The administrator too.
    assert [page["startIndex"] for page in pages] == [1, 3, 5, 7]
    assert [page["itemsPerPage"] for page in pages] == [2, 2, 1, 0]
    assert {one["id"] for page in pages for one in page["Resources"]} >= set(ids)
    assert (none["totalResults"], none["Resources"]) == (5, [])
    assert (all_of_them["startIndex"], all_of_them["itemsPerPage"]) == (1, 5)


async def test_only_what_is_asked_for_is_shown(directory: Directory):
    path = (await directory.add())["meta"]["location"]

    some = await directory.send("GET", f"{path}?attributes=userName,name.givenName")
    others = await directory.send("GET", f"{path}?excludedAttributes=emails,meta,groups")

    assert some.json().keys() == {"schemas", "id", "userName", "name"}
    assert some.json()["name"] == {"givenName": "Ada"}
    assert not {"emails", "meta", "groups"} & others.json().keys()
    assert others.json()["userName"]


async def test_without_an_address_there_is_no_account(directory: Directory):
    body = wanted(userName="ada", emails=None)

    response = await directory.send("POST", USERS, body)

    assert "emails" in assert_refused(response, 400, "invalidValue")


async def test_an_edit_of_what_changed_meanwhile_is_refused(directory: Directory):
    one = await directory.add()
    path, version = one["meta"]["location"], one["meta"]["version"]
    change = {"op": "replace", "path": "displayName", "value": "A"}

    first = await directory.patch(path, change, **{"If-Match": version})
    second = await directory.patch(path, change, **{"If-Match": version})
    unchanged = await directory.send("GET", path, **{"If-None-Match": first.headers["etag"]})

    assert first.headers["etag"] == first.json()["meta"]["version"] != version
    assert_refused(second, 412)
    assert unchanged.status_code == 304


async def test_an_account_that_was_there_is_taken_over_by_its_directory(
    directory: Directory, client: httpx.AsyncClient, boss: SignedIn, post: Any, sign_in: SignIn
):
    """Whoever registered somebody else's address and chose a password does not keep it."""
    body = {"email": "eve@example.com", "password": PASSWORD, "tenant": boss.tenant}
    await client.post("/api/auth/register", json=body)
    await post.deliver()
    (found,) = await directory.look_up('userName eq "eve@example.com"')

    linked = await directory.patch(
        f"{USERS}/{found['id']}", {"op": "add", "path": "externalId", "value": "77"}
    )
    refused = await client.post("/api/auth/login", json=body)

    assert linked.status_code == 200
    assert (await account_of(boss, found["id"]))["status"] == "active"
    assert refused.status_code == 401


async def test_a_lock_keeps_no_strangers_password_for_when_it_is_lifted(
    directory: Directory, client: httpx.AsyncClient, boss: SignedIn, post: Any
):
    body = {"email": "eve@example.com", "password": PASSWORD, "tenant": boss.tenant}
    await client.post("/api/auth/register", json=body)
    await post.deliver()
    (found,) = await directory.look_up('userName eq "eve@example.com"')
    path = f"/api/users/{found['id']}"
    await client.post(f"{path}/lock", headers=boss.headers())

    operation = {"op": "add", "path": "externalId", "value": "78"}
    await directory.patch(f"{USERS}/{found['id']}", operation)
    unlocked = await client.post(f"{path}/unlock", headers=boss.headers())

    assert unlocked.json()["status"] == "active"
    assert (await client.post("/api/auth/login", json=body)).status_code == 401


async def test_another_tenants_accounts_are_not_there(directory: Directory, make_tenant: Any):
    other = await directory_of(await make_tenant())
    theirs = await other.add()
    path = theirs["meta"]["location"]

    answers = [
        await directory.send("GET", path),
        await directory.send("PUT", path, wanted()),
        await directory.patch(path, {"op": "replace", "path": "active", "value": False}),
        await directory.send("DELETE", path),
    ]

    for answer in answers:
        assert_refused(answer, 404)
    assert await directory.look_up(f'externalId eq "{theirs["externalId"]}"') == []
    assert await directory.look_up(f'userName eq "{theirs["userName"]}"') == []
    assert (await other.send("GET", path)).json() == theirs


async def test_only_a_key_of_an_administrator_with_the_right_may(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn
):
    clerk = await make_user(role="manager")
    refused_key = await client.post(
        "/api/auth/api-keys",
        json={"name": "x", "scopes": ["user:provision"]},
        headers=clerk.headers(),
    )
    other = Directory(client, "", await token_of(client, (await key_of(boss, "ops:read"))["key"]))
    person = Directory(client, "", boss.access_token)

    assert refused_key.status_code == 403
    assert_refused(await other.send("GET", USERS), 403)
    assert "API key" in assert_refused(await person.send("GET", USERS), 403)
    assert_refused(await Directory(client, "", "no token").send("GET", USERS), 401)


async def test_nothing_that_a_directory_says_is_readable_in_the_database(
    directory: Directory, databases: Databases
):
    one = await directory.add(userName="Very-Rare-Name", externalId="Very-Rare-Id")
    connection = await asyncpg.connect(databases.superuser_dsn)

    rows = await connection.fetch("SELECT t::text AS row FROM auth.provisioned_users t")

    await connection.close()
    assert any(one["id"] in row["row"] for row in rows)
    for row in rows:
        assert b"Very-Rare".hex() not in row["row"]
        assert "Very-Rare" not in row["row"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "invalidSyntax"),
        (b'{"userName": "a", "userName": "b"}', "invalidSyntax"),
        (b"[]", "invalidValue"),
        (b'{"active": true}', "invalidValue"),
    ],
)
async def test_a_body_that_is_none_is_refused_in_scims_form(
    directory: Directory, body: bytes, kind: str
):
    answer = await directory.client.post(
        USERS,
        content=body,
        headers={"Authorization": f"Bearer {directory.token}", "Content-Type": SCIM},
    )

    assert_refused(answer, 400, kind)


async def test_addresses_are_those_of_the_public(
    app: FastAPI, directory: Directory, monkeypatch: pytest.MonkeyPatch
):
    settings = app.state.resources.own.settings
    monkeypatch.setitem(settings.__dict__, "public_url", "https://stock.example")
    ada = await directory.add()
    listed = await directory.send("GET", f'{USERS}?filter=id eq "{ada["id"]}"')
    group = await directory.send("GET", "/api/scim/v2/Groups/viewer")
    schemas = await directory.send("GET", "/api/scim/v2/Schemas")

    here = f"https://stock.example{USERS}/{ada['id']}"
    assert ada["meta"]["location"] == here
    assert ada["groups"][0]["$ref"] == "https://stock.example/api/scim/v2/Groups/viewer"
    assert listed.json()["Resources"] == [ada]
    assert {"value": ada["id"], "$ref": here, "type": "User"} in group.json()["members"]
    assert group.headers["location"] == group.json()["meta"]["location"]
    for schema in schemas.json()["Resources"]:
        assert schema["meta"]["location"].startswith("https://stock.example/api/scim/v2/Schemas/")


async def test_an_attribute_has_one_spelling_in_a_body(directory: Directory):
    """Else two readers of one body would see two users."""
    twice = [
        await directory.send("POST", USERS, wanted(username="other@example.com")),
        await directory.send("POST", USERS, wanted(name={"givenName": "A", "GivenName": "B"})),
    ]
    ada = await directory.add()
    path = ada["meta"]["location"]
    names = {"displayName": "A", "displayname": "B"}
    twice.append(await directory.patch(path, {"op": "replace", "value": names}))

    for refused in twice:
        assert "twice" in assert_refused(refused, 400, "invalidSyntax")
    assert (await directory.send("GET", path)).json() == ada


async def test_refusals_are_in_the_language_asked_for(directory: Directory):
    answer = await directory.send("GET", f"{USERS}/none?lang=fr")

    assert "Cet utilisateur" in assert_refused(answer, 404)
