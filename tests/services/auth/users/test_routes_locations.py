"""Users who are limited to some locations: what their tokens and keys say, from when on."""

import json
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from services.auth.users.errors import AdministratorUnlimited
from services.auth.users.rules import LOCATIONS_MAX
from shared.errors import StepUpRequired, ValidationFailed
from shared.security.tokens import TOKEN_LENGTH_MAX
from tests.services.auth.people import SignedIn, SignIn, claims_of, with_old_proof
from tests.support.database import Databases
from tests.support.services import assert_problem, service_headers

pytestmark = pytest.mark.stack

GATEWAY = service_headers("gateway", "api_keys:exchange", "revocations:read", target="auth")
HERE, THERE = sorted([str(uuid4()), str(uuid4())])


async def change(by: SignedIn, whom: SignedIn, **body: Any) -> httpx.Response:
    path = f"/api/users/{whom.user['id']}"
    return await by.client.patch(path, json=body, headers=by.headers())


async def limit(by: SignedIn, whom: SignedIn, locations: Any) -> httpx.Response:
    return await change(by, whom, locations=locations)


async def refreshed(who: SignedIn) -> dict[str, Any]:
    body = {"refresh_token": who.refresh_token}
    tokens = (await who.client.post("/api/auth/refresh", json=body)).json()
    who.refresh_token = tokens["refresh_token"]
    return claims_of(tokens["access_token"])


async def test_limits_are_in_the_next_token_and_end_those_that_are_out(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn
):
    ada = await make_user()
    before = claims_of(ada.access_token)

    limited = await limit(boss, ada, [THERE, HERE, THERE])

    assert limited.json()["locations"] == [HERE, THERE]
    told = (await client.get("/internal/revocations", headers=GATEWAY)).json()
    assert told["versions"][ada.user["id"]] == before["ver"] + 1
    claims = await refreshed(ada)
    assert (before["locations"], claims["locations"]) == (None, [HERE, THERE])
    same = await limit(boss, ada, [HERE, THERE])
    assert same.json() == limited.json()
    lifted = await limit(boss, ada, None)
    assert lifted.json()["locations"] is None
    assert (await refreshed(ada))["locations"] is None


async def test_who_is_made_or_invited_with_limits_never_had_none(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn
):
    ada = await make_user(locations=[HERE])
    body = {"email": "guest@example.com", "role": "clerk", "locations": [THERE]}
    invited = await client.post("/api/invitations", json=body, headers=boss.headers())

    assert claims_of(ada.access_token)["locations"] == [HERE]
    own = await client.get("/api/auth/me", headers=ada.headers())
    assert own.json()["locations"] == [HERE]
    assert invited.json()["user"]["locations"] == [THERE]


async def test_a_key_is_as_limited_as_its_owner_is_now(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn
):
    ada = await make_user()
    wanted = {"name": "till", "scopes": ["stock:write"]}
    key = (await client.post("/api/auth/api-keys", json=wanted, headers=ada.headers())).json()

    async def locations() -> Any:
        body = {"key": key["key"]}
        found = await client.post("/internal/api-keys/exchange", json=body, headers=GATEWAY)
        return claims_of(found.json()["access_token"])["locations"]

    assert await locations() is None
    await limit(boss, ada, [HERE])
    assert await locations() == [HERE]


async def test_no_location_at_all_is_not_everywhere(boss: SignedIn, make_user: SignIn):
    ada = await make_user()
    guest = {"email": "guest@example.com", "role": "clerk", "locations": []}
    invited = await boss.client.post("/api/invitations", json=guest, headers=boss.headers())
    for empty in (await limit(boss, ada, []), invited):
        assert_problem(empty, ValidationFailed)
        (error,) = empty.json()["errors"]
        assert (error["path"], error["code"]) == ("body.locations", "no_locations")
        assert "null" in error["message"]


async def test_administrators_have_no_limits_however_they_become_one(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn
):
    ada = await make_user(locations=[HERE])
    body = {"email": "guest@example.com", "role": "admin", "locations": [THERE]}

    refused = [
        await limit(boss, boss, [HERE]),
        await change(boss, ada, role="admin"),
        await change(boss, ada, role="admin", locations=[THERE]),
        await client.post("/api/invitations", json=body, headers=boss.headers()),
    ]

    for answer in refused:
        assert_problem(answer, AdministratorUnlimited)
    promoted = await change(boss, ada, role="admin", locations=None)
    assert (promoted.json()["role"], promoted.json()["locations"]) == ("admin", None)


async def test_as_many_as_are_allowed_fit_into_a_token_and_no_more_are_taken(
    boss: SignedIn, make_user: SignIn
):
    ada = await make_user(role="manager")
    most = sorted(str(uuid4()) for _ in range(LOCATIONS_MAX))

    assert (await limit(boss, ada, most)).json()["locations"] == most

    body = {"refresh_token": ada.refresh_token}
    token = (await ada.client.post("/api/auth/refresh", json=body)).json()["access_token"]
    assert len(token) < TOKEN_LENGTH_MAX
    headers = {"Authorization": f"Bearer {token}"}
    assert (await ada.client.get("/api/auth/me", headers=headers)).status_code == 200
    for bad in ([*most, str(uuid4())], ["Main"], [None], HERE):
        assert_problem(await limit(boss, ada, bad), ValidationFailed)


async def test_limits_need_a_fresh_proof_and_are_journaled(
    boss: SignedIn, make_user: SignIn, databases: Databases
):
    ada = await make_user()
    await limit(boss, ada, [HERE])
    await limit(boss, ada, None)

    stale = await with_old_proof(boss, databases)
    assert_problem(await limit(stale, ada, [HERE]), StepUpRequired)
    connection = await asyncpg.connect(databases.superuser_dsn)
    rows = await connection.fetch(
        """SELECT actor, data FROM auth.journal
        WHERE subject = $1 AND type = 'auth.user-locations-changed.v1' ORDER BY seq""",
        f"user:{ada.user['id']}",
    )
    await connection.close()
    assert {row["actor"] for row in rows} == {f"user:{boss.user['id']}"}
    changes = [json.loads(row["data"]) for row in rows]
    assert [(one["before"], one["after"]) for one in changes] == [(None, [HERE]), ([HERE], None)]
