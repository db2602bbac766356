from datetime import UTC, datetime

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.factors.rules import (
    RECOVERY_CODES,
    STEP_S,
    has_gone_back,
    is_strong,
    is_totp,
    matching_step,
    must_have_factor,
    new_recovery_codes,
    new_secret,
    otpauth_uri,
    recovery_index,
    tidy,
)

RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238, appendix B: "12345678901234567890".


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        (59, "287082"), (1111111109, "081804"), (1111111111, "050471"),
        (1234567890, "005924"), (2000000000, "279037"),
    ],
)  # fmt: skip
def test_codes_are_those_of_the_standard(moment, code):
    now = datetime.fromtimestamp(moment, UTC)

    assert matching_step(RFC_SECRET, code, now, last_step=0) == moment // STEP_S


@pytest.mark.asvs("B02")
@given(st.integers(1_000_000_000, 4_000_000_000), st.integers(-4, 4))
def test_only_the_step_of_now_and_its_neighbours_count(moment, offset):
    step = moment // STEP_S + offset
    code = pyotp.TOTP(RFC_SECRET).generate_otp(step)
    near = range(moment // STEP_S - 1, moment // STEP_S + 2)
    alike = [s for s in near if pyotp.TOTP(RFC_SECRET).generate_otp(s) == code]

    found = matching_step(RFC_SECRET, code, datetime.fromtimestamp(moment, UTC), last_step=0)

    assert found == (max(alike) if alike else None)
    assert (found is not None) >= (abs(offset) <= 1)


@pytest.mark.asvs("B01")
def test_a_step_counts_once_and_none_before_it_after_that():
    now = datetime.fromtimestamp(1_800_000_000, UTC)
    step = 1_800_000_000 // STEP_S
    codes = {s: pyotp.TOTP(RFC_SECRET).generate_otp(s) for s in (step - 1, step, step + 1)}

    assert matching_step(RFC_SECRET, codes[step], now, last_step=step) is None
    assert matching_step(RFC_SECRET, codes[step - 1], now, last_step=step) is None
    assert matching_step(RFC_SECRET, codes[step + 1], now, last_step=step) == step + 1


@pytest.mark.asvs("B08")
def test_secrets_have_160_random_bits():
    secrets = {new_secret() for _ in range(100)}

    assert len(secrets) == 100
    assert {len(pyotp.TOTP(secret).byte_secret()) for secret in secrets} == {20}


@pytest.mark.asvs("B07")
def test_recovery_codes_are_ten_of_120_bits_read_however_they_are_typed():
    codes = new_recovery_codes()

    assert len(set(codes)) == RECOVERY_CODES == 10
    for code in codes:
        assert len(tidy(code)) * 5 == 120
        typed = f" {code.lower().replace('-', ' ')} "
        assert recovery_index(tidy(typed), b"k") == recovery_index(tidy(code), b"k")
        assert not is_totp(tidy(code))
    assert recovery_index("A", b"k") != recovery_index("A", b"l")


@pytest.mark.parametrize(
    "code", ["é12345", "\uff11\uff12\uff13\uff14\uff15\uff16", "١٢٣٤٥٦", "", "12345"]
)
def test_what_has_not_the_form_of_a_code_is_none(code):
    assert matching_step(RFC_SECRET, code, datetime.fromtimestamp(59, UTC), last_step=0) is None


@pytest.mark.parametrize(
    ("methods", "strong"),
    [((), False), (("pwd",), False), (("pwd", "recovery"), False), (("pwd", "otp"), True),
     (("pwd", "hwk"), True), (("key",), False)],
)  # fmt: skip
def test_what_is_a_second_factor(methods, strong):
    assert is_strong(methods) is strong


@pytest.mark.parametrize("role", ["manager", "clerk", "viewer", "auditor"])
def test_administrators_must_have_one_and_everybody_where_the_tenant_demands_it(role):
    assert must_have_factor("admin", tenant_demands=False)
    assert not must_have_factor(role, tenant_demands=False)
    assert must_have_factor(role, tenant_demands=True)


def test_an_authenticator_is_told_account_and_issuer():
    uri = otpauth_uri(RFC_SECRET, account="ada@example.com", issuer="Stockwright Acme & Sons")

    assert uri.startswith("otpauth://totp/Stockwright%20Acme%20%26%20Sons:ada%40example.com?")
    assert f"secret={RFC_SECRET}" in uri
    assert pyotp.parse_uri(uri).issuer == "Stockwright Acme & Sons"


@pytest.mark.parametrize(
    ("known", "shown", "back"),
    [(0, 0, False), (0, 1, False), (1, 2, False), (5, 9, False), (1, 1, True), (2, 1, True),
     (1, 0, True)],
)  # fmt: skip
def test_a_counter_must_grow_unless_it_never_counts(known, shown, back):
    assert has_gone_back(known, shown) is back
