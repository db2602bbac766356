import asyncio
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from unittest.mock import patch

import asyncpg
import httpx
import pytest
from argon2 import PasswordHasher as Argon2
from fastapi import FastAPI
from prometheus_client import REGISTRY

from services.auth.passwords.service import PasswordHasher
from services.auth.sessions.errors import AccountLocked, InvalidCredentials, TooManySignIns
from services.auth.throttle.rules import POLICIES
from shared.errors import ValidationFailed
from shared.security.claims import UserClaims
from shared.security.tokens import TokenVerifier
from tests.services.auth.people import PASSWORD, Clock, SignedIn, SignIn, claims_of
from tests.support.database import Databases
from tests.support.services import KEYS, assert_problem
from tests.support.waiting import PATIENCE_S, answered, eventually

FREE = POLICIES["account"].free
pytestmark = pytest.mark.stack


def credentials(who: SignedIn, **changes: str) -> dict[str, str]:
    return {"email": who.email, "password": PASSWORD, "tenant": who.tenant} | changes


async def test_gives_a_token_pair_and_the_user(client: httpx.AsyncClient, make_user: SignIn):
    ada = await make_user(role="manager", language="fr")

    response = await client.post("/api/auth/login", json=credentials(ada))

    found = response.json()
    assert response.headers["cache-control"] == "no-store"
    assert (found["token_type"], found["expires_in"]) == ("Bearer", 900)
    assert found["user"] == ada.user


async def test_the_access_token_says_everything_that_others_go_by(make_user: SignIn):
    ada = await make_user(role="auditor", language="fr")

    claims = await TokenVerifier(KEYS, UserClaims).verify(ada.access_token)

    assert str(claims.sub) == ada.user["id"]
    assert (claims.role, claims.lang, claims.amr, claims.ver) == ("auditor", "fr", ("pwd",), 1)
    assert claims.scopes == frozenset(ada.user["scopes"])
    assert claims.exp - claims.iat == 900
    assert claims.auth_time <= claims.iat
    assert claims.locations is None
    raw = claims_of(ada.access_token)
    assert (raw["iss"], raw["aud"]) == ("stock-auth", "stock-api")


async def test_a_member_without_a_language_has_the_tenants(
    client: httpx.AsyncClient, make_tenant: Callable[..., Awaitable[SignedIn]]
):
    boss = await make_tenant(language="fr")

    token = {"refresh_token": boss.refresh_token}
    refreshed = (await client.post("/api/auth/refresh", json=token)).json()
    unasked = await client.get("/api/auth/me", headers=boss.headers())

    assert boss.user["language"] is None
    languages = [claims_of(t)["lang"] for t in (boss.access_token, refreshed["access_token"])]
    assert languages == ["fr", "fr"]
    assert unasked.headers["content-language"] == "fr"


async def test_the_case_of_the_address_does_not_matter(
    client: httpx.AsyncClient, make_user: SignIn
):
    ada = await make_user("Ada@Example.com")

    response = await client.post("/api/auth/login", json=credentials(ada, email="ADA@EXAMPLE.COM"))

    assert response.status_code == 200
    assert response.json()["user"]["email"] == "Ada@Example.com"


@pytest.mark.asvs("A02")
@pytest.mark.parametrize("password", [PASSWORD.upper(), PASSWORD + " ", " " + PASSWORD, "x"])
async def test_only_the_exact_password_signs_in(
    client: httpx.AsyncClient, boss: SignedIn, password: str
):
    response = await client.post("/api/auth/login", json=credentials(boss, password=password))

    assert_problem(response, InvalidCredentials)
    assert response.headers["www-authenticate"] == "Bearer"


async def test_a_password_with_outer_spaces_keeps_them(client: httpx.AsyncClient, boss: SignedIn):
    body = {"email": "space@example.com", "password": f"  {PASSWORD}  ", "role": "viewer"}
    await client.post("/api/users", json=body, headers=boss.headers())

    with_spaces, without = [
        await client.post(
            "/api/auth/login",
            json=credentials(boss, email="space@example.com", password=password),
        )
        for password in (f"  {PASSWORD}  ", PASSWORD)
    ]

    assert (with_spaces.status_code, without.status_code) == (200, 401)


async def test_the_answer_is_the_same_for_known_and_unknown_accounts_and_tenants(
    client: httpx.AsyncClient, boss: SignedIn
):
    answers = [
        await client.post(
            "/api/auth/login",
            json=credentials(boss, **changes),
            headers={"X-Request-ID": "same"},
        )
        for changes in (
            {"password": "wrong"},
            {"email": "nobody@example.com"},
            {"tenant": "nowhere"},
        )
    ]

    assert_problem(answers[0], InvalidCredentials)
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize(
    "changes",
    [{"password": "wrong"}, {"email": "nobody@example.com"}, {"tenant": "nowhere"}],
)
async def test_every_refusal_costs_one_hash(
    app: FastAPI, client: httpx.AsyncClient, boss: SignedIn, changes: dict[str, str]
):
    """Hashing is most of the time that a sign-in takes: who is unknown must not be told by it."""
    passwords = app.state.resources.own.passwords

    with patch.object(
        type(passwords), "_verify", autospec=True, side_effect=type(passwords)._verify
    ) as verify:
        response = await client.post("/api/auth/login", json=credentials(boss, **changes))

    assert_problem(response, InvalidCredentials)
    assert verify.call_count == 1


@pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com"])
async def test_after_ten_attempts_an_account_is_refused_unseen(
    client: httpx.AsyncClient, make_user: SignIn, clock: Clock, email: str
):
    ada = await make_user()
    body = credentials(ada, email=email, password="wrong")
    for _ in range(FREE):
        assert_problem(await client.post("/api/auth/login", json=body), InvalidCredentials)

    refused = await client.post("/api/auth/login", json=credentials(ada, email=email))

    assert_problem(refused, TooManySignIns)
    assert refused.headers["retry-after"] == str(refused.json()["retry_after_s"])
    assert 1 <= refused.json()["retry_after_s"] <= 10

    clock.advance(seconds=10)

    late = await client.post("/api/auth/login", json=credentials(ada, email=email))
    assert late.status_code == (200 if email == ada.email else 401)


async def test_a_sign_in_forgives_the_failures_before_it(
    client: httpx.AsyncClient, make_user: SignIn, sign_in: SignIn
):
    ada = await make_user()
    for _ in range(3):
        for _ in range(FREE - 1):
            await client.post("/api/auth/login", json=credentials(ada, password="wrong"))
        await sign_in(ada.email, tenant=ada.tenant)


async def test_parallel_guesses_get_no_further_than_the_limit(
    app: FastAPI, client: httpx.AsyncClient, boss: SignedIn, clock: Clock
):
    passwords = app.state.resources.own.passwords
    body = credentials(boss, password="wrong")
    clock.stop()

    with patch.object(type(passwords), "_verify", autospec=True, return_value=False) as verify:
        ask = partial(client.post, "/api/auth/login", json=body)
        answers = await asyncio.gather(*(answered(ask) for _ in range(100)))

    assert verify.call_count == FREE
    assert sorted(answer.status_code for answer in answers) == [401] * 10 + [429] * 90


@pytest.fixture
async def sign_in_during(
    app: FastAPI, client: httpx.AsyncClient
) -> Callable[..., Awaitable[httpx.Response]]:
    """Sign somebody in, and do something else while the password is being checked."""
    hasher = type(app.state.resources.own.passwords)
    verify, checking, done = hasher._verify, threading.Event(), threading.Event()

    def verify_slowly(self: PasswordHasher, stored: str | None, password: str) -> bool:
        checking.set()
        assert done.wait(PATIENCE_S)
        return verify(self, stored, password)

    async def go(who: SignedIn, meanwhile: Awaitable[httpx.Response]) -> httpx.Response:
        with patch.object(hasher, "_verify", verify_slowly):
            signing_in = asyncio.create_task(client.post("/api/auth/login", json=credentials(who)))
            await eventually(checking.is_set)
            changed = await meanwhile
            done.set()
            assert changed.status_code == 200, changed.text
            return await signing_in

    return go


async def test_who_is_locked_while_the_password_is_checked_gets_no_session(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn, sign_in_during, databases
):
    ada = await make_user()
    path = f"/api/users/{ada.user['id']}"

    refused = await sign_in_during(ada, client.post(f"{path}/lock", headers=boss.headers()))

    assert_problem(refused, AccountLocked)
    connection = await asyncpg.connect(databases.superuser_dsn)
    sessions = await connection.fetchval(
        "SELECT count(*) FROM auth.sessions WHERE user_id = $1", ada.user["id"]
    )
    await connection.close()
    assert sessions == 1  # The one of before: nothing for an unlocking to revive.


async def test_a_role_given_while_the_password_is_checked_is_in_the_token(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn, sign_in_during
):
    ada = await make_user(role="manager")
    path = f"/api/users/{ada.user['id']}"

    answer = await sign_in_during(
        ada, client.patch(path, json={"role": "viewer"}, headers=boss.headers())
    )

    claims = claims_of(answer.json()["access_token"])
    assert (claims["role"], claims["ver"]) == ("viewer", 2)
    assert answer.json()["user"]["role"] == "viewer"


async def test_one_account_s_failures_do_not_bar_another(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn
):
    ada = await make_user()
    for _ in range(FREE + 1):
        await client.post("/api/auth/login", json=credentials(boss, password="wrong"))

    assert (await client.post("/api/auth/login", json=credentials(ada))).status_code == 200


@pytest.mark.asvs("A04")
async def test_an_old_hash_is_renewed(
    client: httpx.AsyncClient, make_user: SignIn, databases: Databases
):
    ada = await make_user()
    weak = Argon2(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    connection = await asyncpg.connect(databases.superuser_dsn)
    await connection.execute(
        "UPDATE auth.users SET password_hash = $1 WHERE id = $2", weak, ada.user["id"]
    )

    for _ in range(2):
        response = await client.post("/api/auth/login", json=credentials(ada))
        assert response.status_code == 200

    stored = await connection.fetchval(
        "SELECT password_hash FROM auth.users WHERE id = $1", ada.user["id"]
    )
    await connection.close()
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_attempts_are_measured_and_journaled(
    client: httpx.AsyncClient, make_user: SignIn, databases: Databases
):
    def count(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    def counts() -> tuple[float, ...]:
        return (
            count("auth_attempts_total", status="success"),
            count("auth_attempts_total", status="failure"),
            count("auth_failed_attempts_total", reason="wrong_password"),
            count("auth_failed_attempts_total", reason="unknown_account"),
        )

    ada = await make_user()
    before = counts()
    for changes in ({}, {"password": "wrong"}, {"email": "nobody@example.com"}):
        await client.post("/api/auth/login", json=credentials(ada, **changes))

    assert [after - past for past, after in zip(before, counts(), strict=True)] == [1, 2, 1, 1]
    connection = await asyncpg.connect(databases.superuser_dsn)
    rows = await connection.fetch(
        """SELECT type, data->>'reason' AS reason FROM auth.journal
        WHERE tenant_id = $1 ORDER BY seq""",
        claims_of(ada.access_token)["tid"],
    )
    await connection.close()
    assert [(row["type"], row["reason"]) for row in rows][-3:] == [
        ("auth.user-signed-in.v1", None),
        ("auth.sign-in-failed.v1", "wrong_password"),
        ("auth.sign-in-failed.v1", "unknown_account"),
    ]


async def test_a_refusal_speaks_french(client: httpx.AsyncClient, boss: SignedIn):
    response = await client.post(
        "/api/auth/login?lang=fr", json=credentials(boss, password="wrong")
    )

    assert_problem(response, InvalidCredentials)
    assert response.json()["title"] == "Connexion refusée"


@pytest.mark.parametrize(
    "changes", [{"email": "no address"}, {"code": "123456", "x": "1"}, {"tenant": "x" * 64}]
)
async def test_bodies_that_break_the_rules_are_refused(
    client: httpx.AsyncClient, boss: SignedIn, changes: dict[str, str]
):
    response = await client.post("/api/auth/login", json=credentials(boss, **changes))

    assert_problem(response, ValidationFailed)


async def test_no_password_or_token_reaches_the_log(
    client: httpx.AsyncClient, make_user: SignIn, capsys: pytest.CaptureFixture[str]
):
    ada = await make_user()
    response = await client.post("/api/auth/login", json=credentials(ada))
    await client.post("/api/auth/login", json=credentials(ada, password="another secret one"))
    await client.post("/api/auth/login", content=b'{"password": "another secret one"')

    logged = "".join(capsys.readouterr())
    for secret in (PASSWORD, "another secret one", ada.email, response.json()["refresh_token"]):
        assert secret not in logged
