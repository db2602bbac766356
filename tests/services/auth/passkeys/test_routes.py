"""Passkeys as their owners meet them."""

import pytest

from services.auth.factors.errors import (
    PasskeyKnown,
    PasskeyLimit,
    PasskeyNotFound,
    PasskeyRefused,
    TwoFactorCompulsory,
    TwoFactorRequired,
)
from services.auth.factors.rules import PASSKEYS_MAX
from shared.errors import StepUpRequired, Unauthorized
from tests.services.auth.passkeys.wallet import (
    add_passkey,
    log_in,
    options_for_new,
    options_to_sign_in,
    post,
    register,
    sign_in_with,
)
from tests.services.auth.people import PASSWORD, SignedIn, SignIn, claims_of
from tests.services.auth.post import PostOffice
from tests.support.authenticator import Authenticator
from tests.support.passkey import SoftPasskey
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack


@pytest.fixture
async def ada(make_user: SignIn) -> SignedIn:
    return await make_user()


async def test_a_passkey_signs_in_in_place_of_a_code(ada: SignedIn):
    added = await register(ada, SoftPasskey(), "Work phone")
    assert added.status_code == 201, added.text
    assert len(set(added.json()["recovery_codes"])) == 10
    assert added.headers["cache-control"] == "no-store"
    phone = await add_passkey(ada, "Home phone")

    assert_problem(await log_in(ada), TwoFactorRequired, methods=["passkey", "recovery"])
    signed_in = await sign_in_with(ada, phone)

    assert signed_in.status_code == 200, signed_in.text
    assert claims_of(signed_in.json()["access_token"])["amr"] == ["pwd", "hwk"]
    shown = (await ada.client.get("/api/auth/passkeys", headers=ada.headers())).json()["items"]
    assert [one["name"] for one in shown] == ["Work phone", "Home phone"]
    assert [one["last_used_at"] is None for one in shown] == [True, False]


async def test_the_options_say_what_is_asked_of_an_authenticator(ada: SignedIn):
    first = await add_passkey(ada)

    creation = await options_for_new(ada)
    request = await options_to_sign_in(ada)

    assert creation["rp"]["id"] == request["rpId"] == "localhost"
    assert creation["attestation"] == "none"
    assert creation["authenticatorSelection"]["userVerification"] == "required"
    assert request["userVerification"] == "required"
    (excluded,) = creation["excludeCredentials"]
    assert [excluded] == request["allowCredentials"]
    assert excluded["transports"] == ["internal"]
    assert first.get(request)


async def test_beside_an_authenticator_either_will_do(ada: SignedIn):
    setup = await post(ada, "/api/auth/2fa/setup")
    own = Authenticator(setup.json()["secret"])
    assert (await post(ada, "/api/auth/2fa/verify", code=own.code())).status_code == 200
    added = await register(ada, phone := SoftPasskey())

    assert added.json()["recovery_codes"] is None  # Those from before still count.
    assert_problem(await log_in(ada), TwoFactorRequired, methods=["otp", "passkey", "recovery"])
    assert (await sign_in_with(ada, phone)).status_code == 200
    assert (await log_in(ada, code=own.code())).status_code == 200


@pytest.mark.asvs("B04", "B05")
async def test_an_administrator_enrols_with_a_passkey_alone(boss: SignedIn):
    body = {"email": "new@example.com", "password": PASSWORD, "role": "admin"}
    made = await post(boss, "/api/users", **body, password_change_required=False)
    new = SignedIn(boss.client, "new@example.com", boss.tenant, "", "", made.json())
    new.access_token = (await log_in(new)).json()["enrolment_token"]

    done = await register(new, phone := SoftPasskey())

    assert done.status_code == 201, done.text
    assert claims_of(done.json()["access_token"])["amr"] == ["pwd", "hwk"]
    assert len(done.json()["recovery_codes"]) == 10
    assert_problem(await post(new, "/api/auth/passkeys/setup"), Unauthorized)  # It is over.
    assert (await sign_in_with(new, phone)).status_code == 200
    refreshed = {"refresh_token": done.json()["refresh_token"]}
    assert (await new.client.post("/api/auth/refresh", json=refreshed)).status_code == 200


async def test_a_passkey_renews_the_proof_of_a_session(ada: SignedIn):
    phone = await add_passkey(ada)

    asked = await post(ada, "/api/auth/step-up", password=PASSWORD)
    assert_problem(asked, TwoFactorRequired)
    signed = phone.get(asked.json()["passkey"])
    proved = await post(ada, "/api/auth/step-up", password=PASSWORD, passkey=signed)

    assert proved.status_code == 200, proved.text
    assert "hwk" in claims_of(proved.json()["access_token"])["amr"]
    again = await post(ada, "/api/auth/step-up", password=PASSWORD, passkey=signed)
    assert_problem(again, PasskeyRefused)


async def test_a_passkey_is_renamed_by_its_owner_alone(ada: SignedIn, boss: SignedIn):
    added = (await register(ada, SoftPasskey())).json()["passkey"]
    path, body = f"/api/auth/passkeys/{added['id']}", {"name": "Old phone"}

    renamed = await ada.client.patch(path, json=body, headers=ada.headers())
    assert renamed.json() == added | body
    stranger = await boss.client.patch(path, json=body, headers=boss.headers())
    assert_problem(stranger, PasskeyNotFound)
    stranger = await boss.client.delete(path, headers=boss.headers())
    assert_problem(stranger, PasskeyNotFound)


async def test_the_last_factor_goes_where_none_is_compulsory(
    ada: SignedIn, post_office: PostOffice
):
    added = (await register(ada, phone := SoftPasskey())).json()
    path = f"/api/auth/passkeys/{added['passkey']['id']}"
    signed = phone.get(await options_to_sign_in(ada))

    assert (await ada.client.delete(path, headers=ada.headers())).status_code == 204

    assert (await log_in(ada)).status_code == 200
    assert (await log_in(ada, passkey=signed)).json()["access_token"]  # Not looked at.
    state = (await ada.client.get("/api/auth/2fa", headers=ada.headers())).json()
    assert state == {"enabled": False, "required": False, "recovery_codes_left": 0}
    assert [m["Subject"] for m in await post_office.to(ada.email)][-2:] == [
        "A second factor was set up",
        "A second factor was removed",
    ]


@pytest.fixture
def post_office(post: PostOffice) -> PostOffice:
    return post


async def test_an_administrators_last_factor_stays(boss: SignedIn):
    await post(boss, "/api/auth/passkeys/setup")
    first = (await register(boss, SoftPasskey())).json()["passkey"]["id"]
    gone = await boss.client.delete(f"/api/auth/passkeys/{first}", headers=boss.headers())
    assert gone.status_code == 204  # There is the authenticator.
    await boss.client.get("/api/auth/2fa", headers=boss.headers())

    body = {"email": "only@example.com", "password": PASSWORD, "role": "admin"}
    made = await post(boss, "/api/users", **body, password_change_required=False)
    only = SignedIn(boss.client, "only@example.com", boss.tenant, "", "", made.json())
    only.access_token = (await log_in(only)).json()["enrolment_token"]
    done = (await register(only, SoftPasskey())).json()
    only.access_token = done["access_token"]
    last = f"/api/auth/passkeys/{done['passkey']['id']}"

    assert_problem(await only.client.delete(last, headers=only.headers()), TwoFactorCompulsory)
    assert_problem(await log_in(only), TwoFactorRequired, methods=["passkey", "recovery"])


async def test_to_add_or_remove_one_needs_a_fresh_proof(
    ada: SignedIn, monkeypatch: pytest.MonkeyPatch
):
    added = (await register(ada, SoftPasskey())).json()["passkey"]
    monkeypatch.setattr("shared.web.permissions.FRESH_S", -60)

    assert_problem(await post(ada, "/api/auth/passkeys/setup"), StepUpRequired)
    gone = await ada.client.delete(f"/api/auth/passkeys/{added['id']}", headers=ada.headers())
    assert_problem(gone, StepUpRequired)


async def test_an_account_has_ten_at_most_and_each_once(ada: SignedIn):
    phone = await add_passkey(ada)
    assert_problem(await register(ada, phone), PasskeyKnown)
    for number in range(PASSKEYS_MAX - 2):
        await add_passkey(ada, f"Phone {number}")
    options = await options_for_new(ada)
    await add_passkey(ada, "The tenth")

    assert_problem(await post(ada, "/api/auth/passkeys/setup"), PasskeyLimit, maximum=PASSKEYS_MAX)
    late = SoftPasskey().create(options)
    answer = await post(ada, "/api/auth/passkeys/verify", name="11", credential=late)
    assert_problem(answer, PasskeyLimit)


async def test_no_code_disables_and_recovery_ends_passkeys_too(ada: SignedIn):
    phone = await add_passkey(ada)
    asked = await post(ada, "/api/auth/2fa/disable", password=PASSWORD)
    signed = phone.get(asked.json()["passkey"])

    done = await post(ada, "/api/auth/2fa/disable", password=PASSWORD, passkey=signed)

    assert done.status_code == 204, done.text
    assert (await log_in(ada)).status_code == 200
    shown = await ada.client.get("/api/auth/passkeys", headers=ada.headers())
    assert shown.json() == {"items": []}
