from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from services.auth.api_keys.errors import (
    ApiKeyExpiry,
    ApiKeyInvalid,
    ApiKeyNotFound,
    ScopesNotGrantable,
    TooManyApiKeys,
)
from services.auth.api_keys.rules import KEYS_MAX
from services.auth.users.errors import UserNotFound
from shared.clock import utc_now
from shared.errors import MissingScope, NotWithApiKey
from tests.services.auth.people import PASSWORD, Clock, SignedIn, SignIn, claims_of, enrol
from tests.services.auth.post import PostOffice
from tests.support.authenticator import Authenticators
from tests.support.database import Databases
from tests.support.services import assert_problem, service_headers

pytestmark = pytest.mark.stack

GATEWAY = service_headers("gateway", "api_keys:exchange", target="auth")


async def add(who: SignedIn, *scopes: str, **more: Any) -> httpx.Response:
    body = {"name": "Till", "scopes": list(scopes or ("inventory:read",)), **more}
    return await who.client.post("/api/auth/api-keys", json=body, headers=who.headers())


async def exchange(client: httpx.AsyncClient, key: str) -> httpx.Response:
    return await client.post("/internal/api-keys/exchange", json={"key": key}, headers=GATEWAY)


async def test_a_key_is_shown_once_and_gives_a_token_with_its_rights(
    client: httpx.AsyncClient, make_user: SignIn
):
    ada = await make_user(role="manager")

    made = await add(ada, "stock:write", "inventory:read")

    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    shown = made.json()
    listed = await client.get("/api/auth/api-keys", headers=ada.headers())
    assert [key["name"] for key in listed.json()["items"]] == ["Till"]
    assert "key" not in listed.json()["items"][0]
    assert listed.json()["items"][0]["last_used_at"] is None
    granted = (await exchange(client, shown["key"])).json()
    claims = claims_of(granted["access_token"])
    assert claims["scopes"] == ["inventory:read", "stock:write"]
    assert (claims["sub"], claims["sid"]) == (ada.user["id"], shown["id"])
    assert (claims["role"], claims["amr"]) == ("machine", ["key"])
    assert claims["exp"] - claims["iat"] == granted["expires_in"] == 900
    used = await client.get("/api/auth/api-keys", headers=ada.headers())
    assert used.json()["items"][0]["last_used_at"] is not None


@pytest.mark.parametrize(
    "scopes", [["user:manage"], ["ops:write", "inventory:read"], ["price:approve"]]
)
async def test_an_administrators_key_has_no_rights_that_are_for_people(
    boss: SignedIn, scopes: list[str]
):
    refused = sorted(set(scopes) - {"inventory:read"})

    assert_problem(await add(boss, *scopes), ScopesNotGrantable, scopes=refused)


async def test_a_key_has_nothing_that_its_owner_lacks(make_user: SignIn):
    ada = await make_user(role="clerk")

    assert_problem(await add(ada, "price:write"), ScopesNotGrantable, scopes=["price:write"])


async def test_a_key_loses_what_its_owner_loses(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn
):
    ada = await make_user(role="clerk")
    key = (await add(ada, "stock:write", "inventory:read")).json()["key"]
    path = f"/api/users/{ada.user['id']}"

    await client.patch(path, json={"role": "viewer"}, headers=boss.headers())
    claims = claims_of((await exchange(client, key)).json()["access_token"])
    assert claims["scopes"] == ["inventory:read"]
    assert claims["ver"] == claims_of(ada.access_token)["ver"] + 1
    await client.post(f"{path}/lock", headers=boss.headers())
    assert_problem(await exchange(client, key), ApiKeyInvalid)


@pytest.mark.asvs("C08")
async def test_a_revoked_key_and_its_tokens_are_refused(
    client: httpx.AsyncClient, make_user: SignIn
):
    ada, bob = await make_user(), await make_user("bob@example.com")
    shown = (await add(ada)).json()
    path = f"/api/auth/api-keys/{shown['id']}"

    assert_problem(await client.delete(path, headers=bob.headers()), ApiKeyNotFound)
    assert (await client.delete(path, headers=ada.headers())).status_code == 204
    assert_problem(await client.delete(path, headers=ada.headers()), ApiKeyNotFound)

    assert_problem(await exchange(client, shown["key"]), ApiKeyInvalid)
    headers = service_headers("gateway", "revocations:read", target="auth")
    told = await client.get("/internal/revocations", headers=headers)
    assert shown["id"] in told.json()["sessions"]


async def test_a_key_expires(client: httpx.AsyncClient, make_user: SignIn, clock: Clock):
    ada = await make_user()
    soon = (utc_now() + timedelta(minutes=5)).isoformat()
    key = (await add(ada, expires_at=soon)).json()["key"]

    assert (await exchange(client, key)).json()["expires_in"] <= 300
    clock.advance(minutes=5)

    assert_problem(await exchange(client, key), ApiKeyInvalid)


@pytest.mark.parametrize("days", [-1, 400])
async def test_a_key_ends_within_a_year(make_user: SignIn, days: int):
    ada = await make_user()
    then = (utc_now() + timedelta(days=days)).isoformat()

    assert_problem(await add(ada, expires_at=then), ApiKeyExpiry)


@pytest.mark.asvs("B05")
async def test_a_key_makes_and_sees_no_keys(client: httpx.AsyncClient, boss: SignedIn):
    shown = (await add(boss)).json()
    token = (await exchange(client, shown["key"])).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    body = {"name": "Another", "scopes": ["inventory:read"]}

    made = await client.post("/api/auth/api-keys", json=body, headers=headers)
    listed = await client.get("/api/auth/api-keys", headers=headers)

    assert_problem(made, NotWithApiKey)
    assert_problem(listed, NotWithApiKey)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/api/auth/me", {"name": "Somebody"}),
        ("GET", "/api/auth/sessions", None),
        ("DELETE", "/api/auth/sessions", None),
        ("POST", "/api/auth/logout", {}),
        ("POST", "/api/auth/change-password", {"current_password": "x", "new_password": "y"}),
        ("POST", "/api/auth/change-email", {"email": "other@example.com"}),
        ("GET", "/api/auth/2fa", None),
        ("POST", "/api/auth/2fa/setup", None),
        ("GET", "/api/auth/passkeys", None),
        ("POST", "/api/auth/step-up", {"password": "x"}),
    ],
)
async def test_a_key_touches_nothing_of_its_owners_account(
    client: httpx.AsyncClient, boss: SignedIn, method: str, path: str, body: Any
):
    shown = (await add(boss)).json()
    token = (await exchange(client, shown["key"])).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}

    refused = await client.request(method, path, json=body, headers=headers)

    assert_problem(refused, NotWithApiKey)
    assert (await client.get("/api/auth/me", headers=headers)).status_code == 200
    assert_problem(await client.get("/api/users", headers=headers), MissingScope)


async def test_nobody_has_more_keys_than_the_limit(make_user: SignIn, databases: Databases):
    ada = await make_user()
    shown = (await add(ada)).json()
    connection = await asyncpg.connect(databases.superuser_dsn)
    await connection.execute(
        """INSERT INTO auth.api_keys (tenant_id, id, user_id, name, secret_index, scopes,
            created_at, expires_at)
        SELECT tenant_id, gen_random_uuid(), user_id, name, secret_index, scopes, created_at,
            expires_at FROM auth.api_keys, generate_series(2, $2) WHERE id = $1""",
        shown["id"],
        KEYS_MAX,
    )
    await connection.close()

    assert_problem(await add(ada), TooManyApiKeys, limit=KEYS_MAX)


async def test_a_text_that_is_no_key_of_ours_is_refused(
    client: httpx.AsyncClient, make_user: SignIn
):
    key = (await add(await make_user())).json()["key"]
    other = key[:-1] + ("A" if key[-1] != "A" else "B")

    for wrong in (other, "ik_", "x", key + "A"):
        assert_problem(await exchange(client, wrong), ApiKeyInvalid)


async def test_only_the_gateway_exchanges_keys(client: httpx.AsyncClient, make_user: SignIn):
    key = (await add(await make_user())).json()["key"]

    refused = await client.post(
        "/internal/api-keys/exchange",
        json={"key": key},
        headers=service_headers("reporting", "journal:read", target="auth"),
    )

    assert_problem(refused, MissingScope)


@pytest.mark.asvs("F03")
async def test_the_database_does_not_hold_the_key(make_user: SignIn, databases: Databases):
    shown = (await add(await make_user())).json()
    connection = await asyncpg.connect(databases.superuser_dsn)
    row = await connection.fetchval(
        "SELECT t::text FROM auth.api_keys t WHERE id = $1", shown["id"]
    )
    await connection.close()

    assert shown["key"] not in row
    assert shown["key"][-40:] not in row


async def be_locked_and_unlocked(ada: SignedIn, boss: SignedIn, _post: PostOffice) -> None:
    for act in ("lock", "unlock"):
        path = f"/api/users/{ada.user['id']}/{act}"
        assert (await boss.client.post(path, headers=boss.headers())).status_code == 200


async def reset_the_password(ada: SignedIn, _boss: SignedIn, post: PostOffice) -> None:
    body = {"email": ada.email, "tenant": ada.tenant}
    await ada.client.post("/api/auth/forgot-password", json=body)
    body = {"token": await post.token_to(ada.email), "new_password": "marmalade fence quartet 9"}
    assert (await ada.client.post("/api/auth/reset-password", json=body)).status_code == 204


async def have_the_factor_recovered(ada: SignedIn, boss: SignedIn, _post: PostOffice) -> None:
    await enrol(ada)
    path = f"/api/users/{ada.user['id']}/factor-recovery"
    body = {"email": "second@example.com", "password": PASSWORD, "role": "admin"}
    body |= {"password_change_required": False}
    assert (await boss.client.post("/api/users", json=body, headers=boss.headers())).is_success
    credentials = {"email": body["email"], "password": PASSWORD, "tenant": boss.tenant}
    second = (await Authenticators().sign_in(boss.client, credentials)).json()["access_token"]
    assert (await boss.client.post(path, headers=boss.headers())).status_code == 201
    headers = {"Authorization": f"Bearer {second}"}
    approved = await boss.client.post(f"{path}/approve", headers=headers)
    assert approved.status_code == 204, approved.text


@pytest.mark.parametrize(
    "remedy", [be_locked_and_unlocked, reset_the_password, have_the_factor_recovered]
)
async def test_no_key_outlives_what_takes_an_account_back(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn, post: PostOffice, remedy: Any
):
    ada = await make_user()
    key = (await add(ada)).json()["key"]
    assert (await exchange(client, key)).status_code == 200

    await remedy(ada, boss, post)

    assert_problem(await exchange(client, key), ApiKeyInvalid)


async def test_a_change_of_ones_own_password_keeps_the_keys(
    client: httpx.AsyncClient, make_user: SignIn
):
    ada = await make_user()
    key = (await add(ada)).json()["key"]
    body = {"current_password": PASSWORD, "new_password": "marmalade fence quartet 9"}

    changed = await client.post("/api/auth/change-password", json=body, headers=ada.headers())

    assert changed.status_code == 200
    assert (await exchange(client, key)).status_code == 200


async def test_its_owner_is_told_of_a_new_key_by_mail(make_user: SignIn, post: PostOffice):
    ada = await make_user("keyholder@example.com")

    shown = (await add(ada)).json()

    *_, mail = await post.to("keyholder@example.com")
    assert mail["Subject"] == "A new API key"
    assert shown["key"] not in mail.get_content()


async def test_administrators_see_and_revoke_the_keys_of_their_users(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn, make_tenant: Any
):
    ada, bob = await make_user(), await make_user("bob@example.com")
    stranger = await make_tenant("stranger@example.com")
    shown = (await add(ada)).json()
    path = f"/api/users/{ada.user['id']}/api-keys"
    one = f"{path}/{shown['id']}"

    listed = await client.get(path, headers=boss.headers())

    assert [key["id"] for key in listed.json()["items"]] == [shown["id"]]
    assert shown["key"] not in listed.text
    assert_problem(await client.get(path, headers=bob.headers()), MissingScope)
    assert_problem(await client.get(path, headers=stranger.headers()), UserNotFound)
    assert_problem(await client.delete(one, headers=bob.headers()), MissingScope)
    assert_problem(await client.delete(one, headers=stranger.headers()), ApiKeyNotFound)
    of_another = f"/api/users/{bob.user['id']}/api-keys/{shown['id']}"
    assert_problem(await client.delete(of_another, headers=boss.headers()), ApiKeyNotFound)
    assert (await client.delete(one, headers=boss.headers())).status_code == 204
    assert_problem(await exchange(client, shown["key"]), ApiKeyInvalid)
    assert (await client.get(path, headers=boss.headers())).json()["items"] == []
