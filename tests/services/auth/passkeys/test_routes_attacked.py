"""Passkeys as somebody meets them who has the password and wants in."""

import asyncio
import json

import asyncpg
import pytest

from services.auth.factors.errors import PasskeyRefused
from services.auth.factors.service.passkeys import _index
from tests.services.auth.passkeys.wallet import (
    add_passkey,
    log_in,
    options_for_new,
    options_to_sign_in,
    post,
    register,
    sign_in_with,
)
from tests.services.auth.people import PASSWORD, Clock, SignedIn, SignIn
from tests.support.database import Databases
from tests.support.passkey import SoftPasskey, _bytes
from tests.support.services import assert_problem

pytestmark = [pytest.mark.stack, pytest.mark.asvs("B11")]

WRONGS = {
    "another page": {"origin": "https://localhost.example"},
    "another port": {"origin": "http://localhost:8084"},
    "another relying party": {"rp_id": "example.com"},
    "no user verified": {"is_verified": False},
    "a page within another": {"is_cross_origin": True},
}


@pytest.fixture
async def ada(make_user: SignIn) -> SignedIn:
    return await make_user()


@pytest.fixture
async def eve(make_user: SignIn) -> SignedIn:
    return await make_user("eve@example.com")


def go_wrong(passkey: SoftPasskey, wrong: str) -> None:
    for name, value in WRONGS[wrong].items():
        setattr(passkey, name, value)


@pytest.mark.parametrize("wrong", WRONGS)
async def test_what_is_signed_wrongly_signs_nobody_in(wrong: str, ada: SignedIn):
    phone = await add_passkey(ada)
    go_wrong(phone, wrong)

    assert_problem(await sign_in_with(ada, phone), PasskeyRefused)


@pytest.mark.parametrize("wrong", WRONGS)
async def test_what_is_made_wrongly_is_not_registered(wrong: str, ada: SignedIn):
    phone = SoftPasskey()
    go_wrong(phone, wrong)

    assert_problem(await register(ada, phone), PasskeyRefused)
    assert (await log_in(ada)).status_code == 200


@pytest.mark.parametrize(("attestation", "status"), [("packed", 201), ("fido-u2f", 401)])
async def test_formats_with_certificates_are_not_read(attestation: str, status: int, ada: SignedIn):
    phone = SoftPasskey()
    phone.attestation = attestation

    assert (await register(ada, phone)).status_code == status


async def test_an_assertion_is_good_once_also_for_many_at_once(ada: SignedIn):
    phone = await add_passkey(ada)
    signed = phone.get(await options_to_sign_in(ada))

    answers = await asyncio.gather(*(log_in(ada, passkey=signed) for _ in range(8)))

    codes = sorted(answer.status_code for answer in answers)
    assert codes[0] == 200
    assert set(codes[1:]) <= {401, 429}


async def test_what_was_refused_is_not_good_afterwards(ada: SignedIn):
    phone = await add_passkey(ada)
    options = await options_to_sign_in(ada)
    phone.is_verified = False
    assert_problem(await log_in(ada, passkey=phone.get(options)), PasskeyRefused)
    phone.is_verified = True

    assert_problem(await log_in(ada, passkey=phone.get(options)), PasskeyRefused)


async def test_a_challenge_ends_after_five_minutes(ada: SignedIn, clock: Clock):
    phone = await add_passkey(ada)
    signed = phone.get(await options_to_sign_in(ada))
    creation = await options_for_new(ada)
    clock.advance(minutes=5)

    assert_problem(await log_in(ada, passkey=signed), PasskeyRefused)
    late = SoftPasskey().create(creation)
    answer = await post(ada, "/api/auth/passkeys/verify", name="Late", credential=late)
    assert_problem(answer, PasskeyRefused)


async def test_another_users_passkey_or_challenge_does_not_do(ada: SignedIn, eve: SignedIn):
    await add_passkey(ada)
    hers = await add_passkey(eve)

    by_her = hers.get(await options_to_sign_in(ada))
    assert_problem(await log_in(ada, passkey=by_her), PasskeyRefused)
    for_her = hers.get(await options_to_sign_in(eve))
    assert_problem(await log_in(ada, passkey=for_her), PasskeyRefused)
    creation = await options_for_new(eve)
    stolen = SoftPasskey().create(creation)
    answer = await post(ada, "/api/auth/passkeys/verify", name="X", credential=stolen)
    assert_problem(answer, PasskeyRefused)


async def test_a_challenge_is_for_its_purpose_and_session_alone(ada: SignedIn, sign_in: SignIn):
    phone = await add_passkey(ada)
    other = SignedIn(ada.client, ada.email, ada.tenant, "", "", ada.user)
    other.access_token = (await sign_in_with(ada, phone)).json()["access_token"]

    def step_up(who: SignedIn, **more: str):
        return post(who, "/api/auth/step-up", password=PASSWORD, **more)

    here = phone.get((await step_up(ada)).json()["passkey"])
    assert_problem(await step_up(other, passkey=here), PasskeyRefused)
    here = phone.get((await step_up(ada)).json()["passkey"])
    assert_problem(await log_in(ada, passkey=here), PasskeyRefused)
    signing_in = phone.get(await options_to_sign_in(ada))
    assert_problem(await step_up(ada, passkey=signing_in), PasskeyRefused)
    creation = await options_for_new(ada)
    for_creation = phone.get({"challenge": creation["challenge"], "rpId": "localhost"})
    assert_problem(await log_in(ada, passkey=for_creation), PasskeyRefused)


async def test_a_counter_that_went_back_is_refused_and_journaled(
    ada: SignedIn, databases: Databases
):
    phone = await add_passkey(ada)
    phone.counter = 10
    assert (await sign_in_with(ada, phone)).status_code == 200
    phone.counter = 9

    assert_problem(await sign_in_with(ada, phone), PasskeyRefused)
    connection = await asyncpg.connect(databases.superuser_dsn)
    rows = await connection.fetch(
        "SELECT type FROM auth.journal WHERE subject = $1", f"user:{ada.user['id']}"
    )
    await connection.close()
    assert [row["type"] for row in rows].count("auth.passkey-went-back.v1") == 1
    phone.counter = 11
    assert (await sign_in_with(ada, phone)).status_code == 200


async def test_one_that_never_counts_is_taken(ada: SignedIn):
    phone = await add_passkey(ada)
    phone.counts = False

    assert (await sign_in_with(ada, phone)).status_code == 200
    assert (await sign_in_with(ada, phone)).status_code == 200


async def test_the_database_holds_no_challenge_and_no_name(ada: SignedIn, databases: Databases):
    await add_passkey(ada, "The phone of Ada L.")
    options = await options_to_sign_in(ada)

    connection = await asyncpg.connect(databases.superuser_dsn)
    rows = await connection.fetch("SELECT row_to_json(p)::text AS row FROM auth.passkeys p")
    kept = await connection.fetch(
        "SELECT challenge_index FROM auth.passkey_challenges WHERE user_id = $1", ada.user["id"]
    )
    await connection.close()
    challenge = _bytes(options["challenge"])
    assert [row["challenge_index"] for row in kept] == [_index(challenge)]
    assert not [row for row in rows if "Ada L." in row["row"] or b"Ada L.".hex() in row["row"]]


@pytest.mark.parametrize(
    "junk",
    [
        "{}", "[]", "null", "12", "[" * 4000, '{"response": 1}', '{"rawId": "AA"}', '"\\ud800"',
        '{"rawId": "AA", "response": {"clientDataJSON": "AA"}}',
        '{"rawId": "AA", "response": {"clientDataJSON": "e30"}}',
    ],
)  # fmt: skip
async def test_junk_is_refused_and_nothing_breaks(junk: str, ada: SignedIn):
    await add_passkey(ada)

    assert_problem(await log_in(ada, passkey=junk), PasskeyRefused)
    answer = await post(ada, "/api/auth/passkeys/verify", name="X", credential=junk)
    assert_problem(answer, PasskeyRefused)


@pytest.mark.parametrize(
    "change",
    [{"transports": 5}, {"transports": True}, {"userHandle": 5}, {"userHandle": "é"}],
)
async def test_a_field_of_another_type_is_refused_and_nothing_breaks(
    change: dict[str, object], ada: SignedIn
):
    phone = SoftPasskey()
    made = json.loads(phone.create(await options_for_new(ada)))
    made["response"] |= change
    answer = await post(ada, "/api/auth/passkeys/verify", name="X", credential=json.dumps(made))
    assert answer.status_code == (401 if "transports" in change else 201)
    phone = await add_passkey(ada)
    signed = json.loads(phone.get(await options_to_sign_in(ada)))
    signed["response"] |= change

    answer = await log_in(ada, passkey=json.dumps(signed))

    assert answer.status_code == (200 if "transports" in change else 401), answer.text


@pytest.mark.parametrize(
    "part", ["clientDataJSON", "authenticatorData", "signature", "rawId", "userHandle"]
)
async def test_no_part_can_be_altered(part: str, ada: SignedIn):
    phone = await add_passkey(ada)
    signed = json.loads(phone.get(await options_to_sign_in(ada)))
    holder = signed if part == "rawId" else signed["response"]
    holder[part] = ("B" if holder[part][0] == "A" else "A") + holder[part][1:]

    assert_problem(await log_in(ada, passkey=json.dumps(signed)), PasskeyRefused)
