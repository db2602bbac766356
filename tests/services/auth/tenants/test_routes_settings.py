"""What a tenant's administrator sets of his tenant, and the platform's of any."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import pytest

from services.auth.sessions.errors import SignInIncomplete
from services.auth.tenants.errors import CurrencyFixed, TenantNotFound
from shared.errors import MissingScope, PreconditionFailed, StepUpRequired, ValidationFailed
from tests.services.auth.people import PASSWORD, SignedIn, SignIn, claims_of, with_old_proof
from tests.support.authenticator import Authenticator
from tests.support.database import Databases
from tests.support.services import assert_problem, service_headers

pytestmark = pytest.mark.stack

MakeTenant = Callable[..., Awaitable[SignedIn]]
OWN = "/api/tenants/current"


async def change(who: SignedIn, path: str = OWN, **body: Any) -> httpx.Response:
    return await who.client.patch(path, json=body, headers=who.headers())


async def enrol(who: SignedIn) -> None:
    setup = await who.client.post("/api/auth/2fa/setup", headers=who.headers())
    body = {"code": Authenticator(setup.json()["secret"]).code()}
    done = await who.client.post("/api/auth/2fa/verify", json=body, headers=who.headers())
    assert done.status_code == 200, done.text


async def test_a_tenant_is_made_with_country_and_time_zone(
    make_tenant: MakeTenant, client: httpx.AsyncClient
):
    boss = await make_tenant(country="FR", time_zone="Europe/Paris", currency="EUR")

    own = (await client.get(OWN, headers=boss.headers())).json()
    account = (await client.get("/api/auth/me", headers=boss.headers())).json()

    assert (own["country"], own["time_zone"], own["currency"]) == ("FR", "Europe/Paris", "EUR")
    assert (own["two_factor_required"], own["version"]) == (False, 1)
    assert account["tenant"]["country"] == "FR"
    assert account["tenant"]["time_zone"] == "Europe/Paris"


async def test_its_administrator_changes_it_and_it_is_journaled(
    boss: SignedIn, databases: Databases
):
    changed = await change(boss, name="Acme & Co", country="CA", time_zone="America/Toronto")
    again = await change(boss, name="Acme & Co")
    cleared = await change(boss, country=None)

    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert again.json() == changed.json()
    assert (cleared.json()["country"], cleared.json()["version"]) == (None, 3)
    connection = await asyncpg.connect(databases.superuser_dsn)
    rows = await connection.fetch(
        """SELECT actor, data FROM auth.journal
        WHERE tenant_id = $1 AND type = 'auth.tenant-changed.v1' ORDER BY seq""",
        claims_of(boss.access_token)["tid"],
    )
    await connection.close()
    assert {row["actor"] for row in rows} == {f"user:{boss.user['id']}"}
    first, second = (json.loads(row["data"]) for row in rows)
    assert first["before"] == {"title": "Acme", "country": None, "time_zone": "UTC"}
    assert first["after"] == {
        "title": "Acme & Co", "country": "CA", "time_zone": "America/Toronto",
    }  # fmt: skip
    assert (second["before"], second["after"]) == ({"country": "CA"}, {"country": None})


async def test_the_platform_changes_any_and_it_stands_in_that_tenants_journal(
    client: httpx.AsyncClient, platform_admin: SignedIn, boss: SignedIn, databases: Databases
):
    tenant_id = claims_of(boss.access_token)["tid"]

    changed = await change(platform_admin, f"/api/tenants/{tenant_id}", registration="closed")

    read = await client.get(f"/api/tenants/{tenant_id}", headers=platform_admin.headers())
    own = await client.get(OWN, headers=boss.headers())
    assert changed.json() == read.json() == own.json()
    assert own.json()["registration"] == "closed"
    connection = await asyncpg.connect(databases.superuser_dsn)
    actors = await connection.fetch(
        """SELECT actor FROM auth.journal
        WHERE tenant_id = $1 AND type = 'auth.tenant-changed.v1'""",
        tenant_id,
    )
    await connection.close()
    assert [row["actor"] for row in actors] == [f"user:{platform_admin.user['id']}"]
    nobody = "/api/tenants/0190b0a8-0000-7000-8000-000000000000"
    assert_problem(await change(platform_admin, nobody, name="X"), TenantNotFound)


async def test_the_currency_stays(boss: SignedIn):
    assert_problem(await change(boss, currency="EUR", name="Other"), CurrencyFixed, currency="USD")

    assert (await change(boss, currency="USD")).json()["name"] == "Acme"


async def test_an_edit_of_an_older_state_is_refused(client: httpx.AsyncClient, boss: SignedIn):
    etag = (await client.get(OWN, headers=boss.headers())).headers["etag"]
    sent = boss.headers(**{"If-Match": etag})

    answers = await asyncio.gather(
        *(client.patch(OWN, json={"name": name}, headers=sent) for name in ("One", "Two", "Three"))
    )

    assert sorted(answer.status_code for answer in answers) == [200, 412, 412]
    assert_problem(max(answers, key=lambda a: a.status_code), PreconditionFailed)


async def test_others_neither_read_nor_change_it(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn, databases: Databases
):
    ada = await make_user(role="manager")
    tenant_id = claims_of(boss.access_token)["tid"]

    assert_problem(await client.get(OWN, headers=ada.headers()), MissingScope)
    assert_problem(await change(ada, name="Mine"), MissingScope)
    assert_problem(await change(boss, f"/api/tenants/{tenant_id}", name="Mine"), MissingScope)
    assert_problem(
        await client.get(f"/api/tenants/{tenant_id}", headers=boss.headers()), MissingScope
    )
    assert_problem(await change(await with_old_proof(boss, databases), name="X"), StepUpRequired)


@pytest.mark.parametrize(
    "body",
    [
        {"country": "XX"}, {"country": "fr"}, {"country": "XK"}, {"country": "FRA"},
        {"time_zone": "Europe/Nowhere"}, {"time_zone": "../etc/passwd"}, {"time_zone": "localtime"},
        {"time_zone": None}, {"language": None}, {"registration": "maybe"}, {"slug": "other"},
        {"two_factor_required": "yes"}, {"name": ""}, {"version": 9},
    ],
)  # fmt: skip
async def test_bodies_that_break_the_rules_are_refused(boss: SignedIn, body: dict[str, Any]):
    assert_problem(await change(boss, **body), ValidationFailed)


async def test_a_second_factor_for_all_ends_the_tokens_of_who_came_in_without_one(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn, make_tenant: MakeTenant
):
    ada, eve = await make_user(), await make_user("eve@example.com")
    await enrol(eve)
    stranger = await make_tenant("stranger@example.com")

    assert (await change(boss, two_factor_required=True)).status_code == 200

    headers = service_headers("gateway", "revocations:read", target="auth")
    told = (await client.get("/internal/revocations", headers=headers)).json()["versions"]
    assert told[ada.user["id"]] > claims_of(ada.access_token)["ver"]
    for one in (boss, eve, stranger):  # Of them nothing more is asked, so they go on.
        assert told.get(one.user["id"], 0) <= claims_of(one.access_token)["ver"]
    body = {"email": ada.email, "password": PASSWORD, "tenant": ada.tenant}
    signed_in = (await client.post("/api/auth/login", json=body)).json()
    assert signed_in["enrolment_required"] is True
    assert "access_token" not in signed_in
    refreshed = await client.post("/api/auth/refresh", json={"refresh_token": ada.refresh_token})
    assert_problem(refreshed, SignInIncomplete, todo=["factor"])
    await change(boss, two_factor_required=False)
    assert "access_token" in (await client.post("/api/auth/login", json=body)).json()


async def test_members_without_a_language_get_the_tenants_new_one(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn, make_tenant: MakeTenant
):
    ada, eve = await make_user(), await make_user("eve@example.com", language="en")
    stranger = await make_tenant("stranger@example.com")

    await change(boss, language="fr")

    headers = service_headers("gateway", "revocations:read", target="auth")
    told = (await client.get("/internal/revocations", headers=headers)).json()["languages"]
    assert (told[ada.user["id"]], told[boss.user["id"]]) == ("fr", "fr")
    assert eve.user["id"] not in told
    assert stranger.user["id"] not in told
