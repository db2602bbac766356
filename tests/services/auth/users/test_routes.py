import asyncio
import json
import secrets

import asyncpg
import httpx
import pytest

from services.auth.passwords.errors import PasswordTooShort
from services.auth.sessions.errors import AccountLocked, RefreshInvalid
from services.auth.users.errors import EmailTaken, LastAdministrator, UserNotFound
from shared.errors import IdempotencyKeyReused, MissingScope, PreconditionFailed, ValidationFailed
from shared.pagination import InvalidCursor
from tests.services.auth.people import PASSWORD, SignedIn, SignIn, claims_of
from tests.services.auth.post import PostOffice
from tests.support.database import Databases
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack


def wanted(**changes: object) -> dict[str, object]:
    email = f"{secrets.token_hex(6)}@example.com"
    return {"email": email, "password": PASSWORD, "role": "clerk"} | changes


@pytest.mark.parametrize("role", ["admin", "manager", "clerk", "viewer", "auditor"])
async def test_an_administrator_makes_accounts_of_every_role(make_user: SignIn, role: str):
    assert (await make_user(role=role)).user["role"] == role


@pytest.mark.parametrize("role", ["manager", "clerk", "viewer", "auditor"])
async def test_others_manage_no_users(client: httpx.AsyncClient, make_user: SignIn, role: str):
    person = await make_user(role=role)

    for response in (
        await client.get("/api/users", headers=person.headers()),
        await client.post("/api/users", json=wanted(), headers=person.headers()),
        await client.patch(
            f"/api/users/{person.user['id']}", json={"role": "admin"}, headers=person.headers()
        ),
    ):
        assert_problem(response, MissingScope)


async def test_an_address_is_unique_in_its_tenant_alone(
    client: httpx.AsyncClient, make_tenant, sign_in: SignIn
):
    one, other = await make_tenant(), await make_tenant()
    body = wanted(email="Shared@Example.com")

    for boss in (one, other):
        made = await client.post("/api/users", json=body, headers=boss.headers())
        assert made.status_code == 201
        taken = body | {"email": "shared@example.COM"}
        again = await client.post("/api/users", json=taken, headers=boss.headers())
        assert_problem(again, EmailTaken)
    ids = {(await sign_in("SHARED@example.com", tenant=t.tenant)).user["id"] for t in (one, other)}
    assert len(ids) == 2


async def test_a_tenant_sees_and_changes_nothing_of_another(client: httpx.AsyncClient, make_tenant):
    one, other = await make_tenant("one@example.com"), await make_tenant("other@example.com")
    path = f"/api/users/{other.user['id']}"

    listed = (await client.get("/api/users", headers=one.headers())).json()["items"]
    responses = [
        await client.get(path, headers=one.headers()),
        await client.patch(path, json={"role": "viewer"}, headers=one.headers()),
        await client.post(f"{path}/lock", headers=one.headers()),
        await client.post(f"{path}/unlock", headers=one.headers()),
    ]

    assert [user["email"] for user in listed] == ["one@example.com"]
    for response in responses:
        assert_problem(response, UserNotFound)
    unchanged = await client.get("/api/auth/me", headers=other.headers())
    assert unchanged.json()["role"] == "admin"


async def test_the_same_key_and_body_make_one_account(client: httpx.AsyncClient, boss: SignedIn):
    body, key = wanted(), {"Idempotency-Key": secrets.token_hex(8)}

    first, again = [
        await client.post("/api/users", json=body, headers=boss.headers(**key)) for _ in range(2)
    ]
    other = await client.post("/api/users", json=wanted(), headers=boss.headers(**key))

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"
    assert_problem(other, IdempotencyKeyReused)
    listed = (await client.get("/api/users", headers=boss.headers())).json()["items"]
    assert len(listed) == 2


async def test_a_refused_request_leaves_its_key_free(client: httpx.AsyncClient, boss: SignedIn):
    key = {"Idempotency-Key": secrets.token_hex(8)}

    refused = await client.post(
        "/api/users", json=wanted(password="short"), headers=boss.headers(**key)
    )
    accepted = await client.post("/api/users", json=wanted(), headers=boss.headers(**key))

    assert_problem(refused, PasswordTooShort, length_min=12)
    assert accepted.status_code == 201


@pytest.mark.parametrize(
    "changes",
    [{"role": "owner"}, {"role": None}, {"scopes": ["ops:write"]}, {"token_version": 9}],
)
async def test_bodies_that_break_the_rules_are_refused(
    client: httpx.AsyncClient, boss: SignedIn, changes: dict[str, object]
):
    response = await client.post("/api/users", json=wanted(**changes), headers=boss.headers())

    assert_problem(response, ValidationFailed)


@pytest.fixture
async def broken(boss: SignedIn, make_user: SignIn, databases: Databases) -> SignedIn:
    """Somebody whose sealed address and name were altered."""
    ada = await make_user(name="Ada")
    connection = await asyncpg.connect(databases.superuser_dsn)
    await connection.execute(
        """UPDATE auth.users SET email_sealed = email_sealed || '\\x00',
        name_sealed = substr(name_sealed, 1, 20) WHERE id = $1""",
        ada.user["id"],
    )
    await connection.close()
    return ada


async def test_a_broken_seal_takes_away_its_own_fields_alone(
    client: httpx.AsyncClient, boss: SignedIn, broken: SignedIn
):
    listed = await client.get("/api/users", headers=boss.headers())
    one = await client.get(f"/api/users/{broken.user['id']}", headers=boss.headers())
    own = await client.get("/api/auth/me", headers=broken.headers())

    whole, ada = listed.json()["items"]
    lost = {"email": None, "name": None, "unreadable": ["email", "name"]}
    assert whole == boss.user
    assert ada == one.json() == broken.user | lost
    assert own.json() == broken.user | lost | {"tenant": own.json()["tenant"]}


async def test_a_user_with_a_broken_seal_signs_in_and_gets_a_new_name(
    client: httpx.AsyncClient, boss: SignedIn, broken: SignedIn, sign_in: SignIn
):
    path = f"/api/users/{broken.user['id']}"

    again = await sign_in(broken.email, tenant=broken.tenant)
    locked = await client.post(f"{path}/lock", headers=boss.headers())
    cleared = await client.patch(path, json={"name": None}, headers=boss.headers())
    renamed = await client.patch(path, json={"name": "Ada"}, headers=boss.headers())

    assert again.user["unreadable"] == ["email", "name"]
    assert locked.json()["locked"] is True
    assert cleared.json()["unreadable"] == ["email"]
    assert (renamed.json()["name"], renamed.json()["unreadable"]) == ("Ada", ["email"])


async def test_pages_meet_without_gap_or_overlap(client: httpx.AsyncClient, boss: SignedIn):
    for _ in range(4):
        await client.post("/api/users", json=wanted(), headers=boss.headers())
    seen: list[str] = []
    cursor: str | None = None

    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/api/users", params=query, headers=boss.headers())).json()
        seen += [user["id"] for user in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert len(seen) == len(set(seen)) == 5
    assert seen == sorted(seen)


@pytest.mark.parametrize("cursor", ["x", "WyJpZCIsIngiXQ", "WyJpZCJd", "%00", "bnVsbA"])
async def test_cursors_of_others_are_refused(
    client: httpx.AsyncClient, boss: SignedIn, cursor: str
):
    response = await client.get("/api/users", params={"cursor": cursor}, headers=boss.headers())

    assert_problem(response, InvalidCursor)


async def test_the_list_filters_by_role_and_lock(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn
):
    clerk = await make_user("clerk@example.com", role="clerk")
    viewer = await make_user("viewer@example.com", role="viewer")
    await client.post(f"/api/users/{viewer.user['id']}/lock", headers=boss.headers())

    async def ids(query: str) -> list[str]:
        response = await client.get(f"/api/users?{query}", headers=boss.headers())
        return [user["id"] for user in response.json()["items"]]

    assert await ids("role=clerk") == [clerk.user["id"]]
    assert await ids("locked=true") == [viewer.user["id"]]
    assert viewer.user["id"] not in await ids("locked=false")


async def test_a_new_role_counts_from_the_next_token_on(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn
):
    ada = await make_user()
    path = f"/api/users/{ada.user['id']}"

    changed = await client.patch(path, json={"role": "manager"}, headers=boss.headers())
    refreshed = await client.post("/api/auth/refresh", json={"refresh_token": ada.refresh_token})

    assert changed.json()["role"] == "manager"
    claims = claims_of(refreshed.json()["access_token"])
    assert (claims["role"], claims["ver"]) == ("manager", claims_of(ada.access_token)["ver"] + 1)
    assert "price:approve" in claims["scopes"]


async def test_an_edit_of_an_older_state_is_refused(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn
):
    path = f"/api/users/{(await make_user()).user['id']}"
    etag = (await client.get(path, headers=boss.headers())).headers["etag"]
    fits = boss.headers(**{"If-Match": etag})
    await client.patch(path, json={"role": "viewer"}, headers=fits)

    response = await client.patch(path, json={"role": "admin"}, headers=fits)

    assert_problem(response, PreconditionFailed)


async def test_a_locked_user_neither_signs_in_nor_refreshes(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn
):
    ada = await make_user()
    path = f"/api/users/{ada.user['id']}"
    credentials = {"email": ada.email, "password": PASSWORD, "tenant": ada.tenant}

    locked = await client.post(f"{path}/lock", headers=boss.headers())

    assert locked.json()["locked"] is True
    assert_problem(await client.post("/api/auth/login", json=credentials), AccountLocked)
    stale = {"refresh_token": ada.refresh_token}
    assert_problem(await client.post("/api/auth/refresh", json=stale), RefreshInvalid)

    unlocked = await client.post(f"{path}/unlock", headers=boss.headers())

    assert unlocked.json()["locked"] is False
    assert (await client.post("/api/auth/login", json=credentials)).status_code == 200
    assert_problem(await client.post("/api/auth/refresh", json=stale), RefreshInvalid)


@pytest.mark.parametrize("change", ["lock", "role"])
async def test_the_last_administrator_stays(client: httpx.AsyncClient, boss: SignedIn, change: str):
    response = await _remove(client, boss, boss, change)

    assert_problem(response, LastAdministrator)


async def test_two_administrators_cannot_remove_each_other(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn
):
    for number in range(5):
        other = await make_user(f"admin{number}@example.com", role="admin")

        responses = await asyncio.gather(
            _remove(client, boss, other, "role"), _remove(client, other, boss, "lock")
        )

        # The other one is too late: he is the last, or may not any more.
        assert sorted(response.status_code for response in responses) in ([200, 409], [200, 401])
        if responses[1].status_code == 200:
            break


async def test_changes_are_journaled_with_actor_and_request(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn, databases: Databases
):
    ada = await make_user(name="Ada")
    path = f"/api/users/{ada.user['id']}"
    sent = boss.headers(**{"X-Request-ID": "journal-test"})
    await client.patch(path, json={"name": "Ada L.", "role": "manager"}, headers=sent)
    await client.post(f"{path}/lock", headers=sent)

    connection = await asyncpg.connect(databases.superuser_dsn)
    rows = await connection.fetch(
        """SELECT * FROM auth.journal
        WHERE subject = $1 AND request_id = 'journal-test' ORDER BY seq""",
        f"user:{ada.user['id']}",
    )
    await connection.close()
    assert [row["type"] for row in rows] == [
        "auth.user-profile-changed.v1",
        "auth.user-role-changed.v1",
        "auth.user-locked.v1",
        "auth.user-sessions-ended.v1",
    ]
    assert {row["actor"] for row in rows} == {f"user:{boss.user['id']}"}
    role_change = json.loads(rows[1]["data"])
    assert (role_change["before"], role_change["after"]) == ("clerk", "manager")
    assert "Ada" not in rows[0]["data"]


async def _remove(
    client: httpx.AsyncClient, actor: SignedIn, target: SignedIn, change: str
) -> httpx.Response:
    path = f"/api/users/{target.user['id']}"
    if change == "lock":
        return await client.post(f"{path}/lock", headers=actor.headers())
    return await client.patch(path, json={"role": "viewer"}, headers=actor.headers())


@pytest.mark.parametrize("way", ["made", "promoted", "invited"])
async def test_all_administrators_are_told_of_a_new_one(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn, post: PostOffice, way: str
):
    new = f"{way}-administrator@example.com"
    if way == "made":
        await make_user(new, role="admin")
    elif way == "invited":
        body = {"email": new, "role": "admin"}
        await client.post("/api/invitations", json=body, headers=boss.headers())
    else:
        who = await make_user(new)
        path = f"/api/users/{who.user['id']}"
        await client.patch(path, json={"role": "admin"}, headers=boss.headers())

    told = [m for m in await post.to(boss.email) if m["Subject"] == "There is a new administrator"]

    assert any(new in mail.get_content() for mail in told)
    assert all(m["Subject"] != "There is a new administrator" for m in await post.to(new))
