"""A person is exported whole, and erased: nothing tells who it was, and every record holds."""

import json
from uuid import UUID

import asyncpg
import pytest

from services.auth.personal_data.errors import ErasureHeld, OwnErasure
from services.auth.sealed_columns import SEALED_COLUMNS
from services.auth.sessions.errors import InvalidCredentials
from services.auth.users.errors import (
    AccountClosed,
    AccountErased,
    UserNotFound,
)
from shared.errors import IdempotencyAnswerLost, MissingScope, StepUpRequired, Unauthorized
from shared.security.sealing import SealBroken, place
from tests.services.auth.passkeys.wallet import add_passkey
from tests.services.auth.people import PASSWORD, SignedIn, SignIn, claims_of, enrol, with_old_proof
from tests.services.auth.scim.directory import USERS, Directory, directory_of
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack

NAME, EARLIER = "Canary Lovelace 9d1", "Canary Byron 3c7"
EMAIL, NEXT = "canary-9d1@example.com", "canary-next-5f2@example.com"
DEVICE, KEY, PASSKEY = "CanaryBrowser 7.7", "Canary till 4e8", "Canary phone 2b6"
EXTERNAL = "canary-external-8a0"


async def erase(who: SignedIn, user_id: str):
    return await who.client.post(f"/api/users/{user_id}/erase", headers=who.headers())


async def export(who: SignedIn, user_id: str):
    return await who.client.get(f"/api/users/{user_id}/personal-data", headers=who.headers())


@pytest.fixture
async def superuser(databases):
    connection = await asyncpg.connect(databases.superuser_dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def directory(boss: SignedIn) -> Directory:
    return await directory_of(boss)


@pytest.fixture
async def known(client, boss: SignedIn, sign_in: SignIn, directory: Directory) -> SignedIn:
    """Somebody of whom everything there is is kept."""
    body = {"email": EMAIL, "password": PASSWORD, "role": "clerk", "name": EARLIER}
    body |= {"password_change_required": False}
    key = {"Idempotency-Key": "made-1", "User-Agent": DEVICE}
    made = await client.post("/api/users", json=body, headers=boss.headers(**key))
    assert made.status_code == 201, made.text
    path = f"{USERS}/{made.json()['id']}"
    described = {"op": "replace", "value": {"externalId": EXTERNAL, "displayName": NAME}}
    assert (await directory.patch(path, described)).status_code == 200
    ada = await sign_in(EMAIL, tenant=boss.tenant)
    await enrol(ada)
    await add_passkey(ada, PASSKEY)
    for url, wanted in (
        ("/api/auth/api-keys", {"name": KEY, "scopes": ["inventory:read"]}),
        ("/api/auth/change-email", {"email": NEXT}),
    ):
        done = await client.post(url, json=wanted, headers=ada.headers(**{"User-Agent": DEVICE}))
        assert done.is_success, done.text
    forgot = {"email": EMAIL, "tenant": boss.tenant}
    assert (await client.post("/api/auth/forgot-password", json=forgot)).status_code == 202
    wrong = forgot | {"password": "wrong wrong wrong"}
    assert_problem(await client.post("/api/auth/login", json=wrong), InvalidCredentials)
    refreshed = await client.post(
        "/api/auth/refresh",
        json={"refresh_token": ada.refresh_token},
        headers={"User-Agent": DEVICE},
    )
    ada.access_token = refreshed.json()["access_token"]
    return ada


async def opened(superuser, tenant_id, sealer):
    """Everything that auth seals and this key opens, of a tenant, as one text."""
    found = []
    for column in SEALED_COLUMNS:
        if column.tenant_id is not None:
            continue
        rows = await superuser.fetch(
            f"SELECT {column.key}, {column.name} FROM auth.{column.table} WHERE tenant_id = $1"  # noqa: S608 - our own names.
            f" AND {column.name} IS NOT NULL",
            tenant_id,
        )
        found += [sealer.open(value, place(column.place, tenant_id, key)) for key, value in rows]
    answers = await superuser.fetch(
        "SELECT actor, key, answer #>> '{}' AS answer FROM auth.idempotency_keys"
        " WHERE tenant_id = $1 AND answer IS NOT NULL",
        tenant_id,
    )
    found += [row["answer"].encode() for row in answers]
    return b"\n".join(found).decode("utf-8", "replace").lower()


async def plain(superuser, tenant_id):
    """Every row of every table of every schema that has one of this tenant, as one text."""
    tables = await superuser.fetch(
        "SELECT table_schema, table_name FROM information_schema.columns"
        " WHERE column_name = 'tenant_id' AND table_schema NOT IN ('pg_catalog', 'public')"
    )
    found = []
    for schema, table in tables:
        rows = await superuser.fetch(
            f"SELECT t::text FROM {schema}.{table} t WHERE tenant_id = $1",  # noqa: S608 - of the catalogue.
            tenant_id,
        )
        found += [row[0] for row in rows]
    return "\n".join(found).lower()


@pytest.mark.asvs("F12")
async def test_all_that_is_kept_of_a_person_is_exported_and_no_secret(
    boss: SignedIn, known: SignedIn, post
):
    answer = await export(boss, known.user["id"])

    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()
    assert (found["account"]["name"], found["account"]["email"]) == (NAME, EMAIL)
    assert [one["fields"] for one in found["earlier"]] == [{"name": EARLIER}]
    assert DEVICE in {one["user_agent"] for one in found["sign_ins"]}
    assert {one["address"] for one in found["sign_ins"]} == {"127.0.0.1"}
    assert [one["name"] for one in found["api_keys"]] == [KEY]
    factors = found["second_factors"]
    assert [one["name"] for one in factors["passkeys"]] == [PASSKEY]
    assert factors["authenticator_since"] is not None
    assert factors["recovery_codes_left"] > 0
    assert found["directory"]["externalId"] == EXTERNAL
    assert {one["to"] for one in found["mails"]} == {EMAIL}
    assert {one["kind"] for one in found["errands"]} == {"address", "reset"}
    assert found["journal"]["about_person"] > found["journal"]["by_person"] > 0
    assert f"/api/audit?actor=user:{known.user['id']}" in found["journal"]["listed_at"]
    for secret in ("argon2", "ot_", "ik_", "secret", "sealed", "index"):
        assert secret not in answer.text


async def test_who_asks_for_his_own_gets_the_same(client, boss: SignedIn, known: SignedIn):
    own = (await client.get("/api/auth/me/personal-data", headers=known.headers())).json()
    by_boss = (await export(boss, known.user["id"])).json()

    changing = {"exported_at", "journal"}
    assert {k: v for k, v in own.items() if k not in changing} == {
        k: v for k, v in by_boss.items() if k not in changing
    }
    assert by_boss["journal"]["about_person"] == own["journal"]["about_person"] + 1  # Journaled.


@pytest.mark.asvs("F12")
async def test_once_erased_nothing_tells_who_it_was(
    client, app, boss: SignedIn, known: SignedIn, superuser
):
    tenant_id = UUID(claims_of(boss.access_token)["tid"])
    sealer = app.state.resources.own.sealer
    before = await opened(superuser, tenant_id, sealer)
    assert all(text.lower() in before for text in (NAME, EMAIL, NEXT, DEVICE, PASSKEY, EXTERNAL))
    assert KEY.lower() in await plain(superuser, tenant_id)

    answer = await erase(boss, known.user["id"])

    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["name"], told["email"], told["status"]) == ("Erased person", None, "deactivated")
    assert told["erased_at"] is not None
    after = await opened(superuser, tenant_id, sealer) + await plain(superuser, tenant_id)
    assert "canary" not in after
    row = await superuser.fetchrow("SELECT * FROM auth.users WHERE id = $1", UUID(told["id"]))
    assert {name for name, value in row.items() if value is None} >= {
        "email_sealed", "name_sealed", "profile_key_sealed", "locations", "language",
        "verified_at", "approved_at", "locked_at",
    }  # fmt: skip
    tables = await superuser.fetch(
        "SELECT table_name FROM information_schema.columns"
        " WHERE table_schema = 'auth' AND column_name = 'user_id'"
    )
    for (table,) in tables:
        of_him = f"SELECT count(*) FROM auth.{table} WHERE user_id = $1"  # noqa: S608 - of the catalogue.
        assert await superuser.fetchval(of_him, row["id"]) == 0, table


async def test_what_the_journal_holds_of_the_profile_opens_no_more(
    app, boss: SignedIn, known: SignedIn, superuser
):
    vault, subject = app.state.resources.own, f"user:{known.user['id']}"
    tenant_id = UUID(claims_of(boss.access_token)["tid"])
    entries = await superuser.fetch(
        "SELECT data FROM auth.journal WHERE subject = $1 AND type LIKE '%profile-changed%'",
        subject,
    )
    at = place("auth.journal.profile", tenant_id, known.user["id"])
    [data] = [json.loads(entry["data"]) for entry in entries]

    with pytest.raises(SealBroken):  # It never was the house's key that sealed it.
        vault.sealer.open_text(data["before"], at)
    await erase(boss, known.user["id"])

    found = (await export(boss, known.user["id"])).json()
    assert [one["fields"] for one in found["earlier"]] == [None]
    erased = await superuser.fetch(
        "SELECT type, data FROM auth.journal WHERE subject = $1", subject
    )
    last = erased[-1]
    assert (last["type"], json.loads(last["data"])) == (
        "auth.personal-data-exported.v1", {"user_id": known.user["id"]},
    )  # fmt: skip
    assert "auth.user-erased.v1" in {row["type"] for row in erased}


async def test_profiles_from_before_persons_had_keys_are_still_exported(
    app, boss: SignedIn, make_user: SignIn, superuser
):
    ada = await make_user(EMAIL, name=EARLIER)
    tenant_id = UUID(claims_of(boss.access_token)["tid"])
    at = place("auth.journal.profile", tenant_id, ada.user["id"])
    sealed = app.state.resources.own.sealer.seal_text(b'{"name": "Older"}', at)
    data = {"user_id": ada.user["id"], "changed": ["name"], "before": sealed, "after": sealed}
    await superuser.execute(
        "INSERT INTO auth.journal (id, tenant_id, actor, request_id, type, subject, data) VALUES"
        " (gen_random_uuid(), $1, 'test', '', 'auth.user-profile-changed.v1', $2, $3)",
        tenant_id, f"user:{ada.user['id']}", json.dumps(data),
    )  # fmt: skip

    found = (await export(boss, ada.user["id"])).json()

    assert [one["fields"] for one in found["earlier"]] == [{"name": "Older"}]


async def test_whoever_is_signed_in_is_out_and_never_comes_back(
    client, boss: SignedIn, known: SignedIn, sign_in: SignIn
):
    user_id, path = known.user["id"], f"/api/users/{known.user['id']}"
    await erase(boss, user_id)

    assert_problem(await client.get("/api/auth/sessions", headers=known.headers()), Unauthorized)
    login = {"email": EMAIL, "password": PASSWORD, "tenant": boss.tenant}
    assert_problem(await client.post("/api/auth/login", json=login), InvalidCredentials)
    for answer in (
        await client.patch(path, json={"name": NAME}, headers=boss.headers()),
        await client.post(f"{path}/reactivate", headers=boss.headers()),
        await client.post(f"{path}/change-email", json={"email": EMAIL}, headers=boss.headers()),
    ):
        assert_problem(answer, AccountErased)
    unlocked = await client.post(f"{path}/unlock", headers=boss.headers())
    assert_problem(unlocked, AccountClosed)
    french = await client.get(path, headers=boss.headers(**{"Accept-Language": "fr"}))
    assert french.json()["name"] == "Personne effacée"


async def test_the_address_is_free_and_a_directory_makes_somebody_new(
    boss: SignedIn, known: SignedIn, directory: Directory, make_user: SignIn
):
    await erase(boss, known.user["id"])
    path = f"{USERS}/{known.user['id']}"
    assert (await directory.send("GET", path)).status_code == 404
    assert await directory.look_up(f'externalId eq "{EXTERNAL}"') == []

    again = await directory.add(userName=EMAIL, emails=None, externalId=EXTERNAL)

    assert again["id"] != known.user["id"]
    other = await make_user(NEXT)
    assert other.user["id"] not in {known.user["id"], again["id"]}


async def test_erasing_again_changes_nothing(boss: SignedIn, known: SignedIn):
    first, again = [await erase(boss, known.user["id"]) for _ in range(2)]

    assert first.json() == again.json()


async def test_an_answer_that_names_him_is_forgotten_and_its_key_is_not(
    client, boss: SignedIn, known: SignedIn
):
    await erase(boss, known.user["id"])
    body = {"email": EMAIL, "password": PASSWORD, "role": "clerk", "name": EARLIER}
    key = {"Idempotency-Key": "made-1", "User-Agent": DEVICE}

    again = await client.post(
        "/api/users", json=body | {"password_change_required": False}, headers=boss.headers(**key)
    )

    assert_problem(again, IdempotencyAnswerLost)


async def test_mails_about_him_do_not_go_out_and_others_do(
    client, boss: SignedIn, make_user: SignIn, post
):
    await post.deliver()
    ada = await make_user(EMAIL, role="admin")  # All administrators are told of her.
    body = {"email": "other@example.com", "role": "clerk"}
    invited = await client.post("/api/invitations", json=body, headers=boss.headers())
    assert invited.status_code == 201
    sent = len(post.sent)

    await erase(boss, ada.user["id"])
    await post.deliver()

    told = [mail for mail in post.sent[sent:] if EMAIL in f"{mail['To']} {mail.get_content()}"]
    assert told == []
    assert len(await post.to("other@example.com")) == 1


async def test_a_legal_hold_beats_erasure(client, boss: SignedIn, known: SignedIn):
    for kind, days in (("movements", {}), (None, {"last_day": "2019-12-31"})):
        body = {"reason": "Proceedings 4711.", "kind": kind, **days}
        assert (
            await client.post("/api/legal-holds", json=body, headers=boss.headers())
        ).status_code == 201
    hold = await client.post(
        "/api/legal-holds", json={"reason": "Proceedings 4712."}, headers=boss.headers()
    )

    held = await erase(boss, known.user["id"])

    assert_problem(held, ErasureHeld, holds=[hold.json()["id"]])
    kept = (await export(boss, known.user["id"])).json()
    assert (kept["account"]["name"], kept["legal_holds"]) == (NAME, [hold.json()["id"]])


async def test_a_hold_on_stock_or_on_other_days_keeps_no_person(
    client, boss: SignedIn, make_user: SignIn
):
    ada = await make_user(EMAIL)
    for kind, days in (("movements", {}), (None, {"last_day": "2019-12-31"})):
        body = {"reason": "Proceedings 4711.", "kind": kind, **days}
        await client.post("/api/legal-holds", json=body, headers=boss.headers())

    assert (await erase(boss, ada.user["id"])).status_code == 200


async def test_nobody_erases_himself_and_an_administrator_remains(
    boss: SignedIn, make_user: SignIn
):
    second = await make_user("second@example.com", role="admin")

    assert_problem(await erase(boss, boss.user["id"]), OwnErasure)
    assert (await erase(second, boss.user["id"])).status_code == 200
    assert_problem(await erase(boss, second.user["id"]), Unauthorized)


async def test_it_needs_an_administrator_of_the_tenant_with_a_fresh_proof(
    boss: SignedIn, known: SignedIn, make_user: SignIn, make_tenant, databases
):
    user_id = known.user["id"]
    manager = await make_user("manager@example.com", role="manager")
    other = await make_tenant("elsewhere@example.com")
    old = await with_old_proof(boss, databases)

    for act in (erase, export):
        assert_problem(await act(manager, user_id), MissingScope)
        assert_problem(await act(other, user_id), UserNotFound)
        assert_problem(await act(old, user_id), StepUpRequired)


async def test_the_database_removes_rows_of_nobody_who_was_not_erased(
    boss: SignedIn, known: SignedIn, databases
):
    connection = await asyncpg.connect(databases.dsn("auth_app"))
    tenant_id = claims_of(boss.access_token)["tid"]
    await connection.execute("SELECT set_config('app.tenant', $1, false)", tenant_id)

    with pytest.raises(asyncpg.RaiseError, match="not erased"):
        await connection.execute("SELECT remove_rows_of_erased($1)", UUID(known.user["id"]))
    with pytest.raises(asyncpg.CheckViolationError, match="users_erased"):
        await connection.execute(
            "UPDATE users SET erased_at = now() WHERE id = $1", UUID(known.user["id"])
        )
    await connection.close()
