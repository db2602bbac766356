"""The proof holds for one request, one client and one minute, and nobody else can make it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from shared.errors import ClocksApart
from shared.security.gateway_proof import SKEW_MAX_S, GatewayProof

KEY, OTHER_KEY = SecretStr("44" * 32), SecretStr("45" * 32)
SENT_S = 1_764_000_000.5
REQUEST = (b"request-1", b"POST", b"/api/inventory?limit=5")

pytestmark = pytest.mark.asvs("C08", "E01")


def proof_of(key: SecretStr = KEY, client: bytes = b"2001:db8::7") -> bytes:
    return GatewayProof(key, clock=lambda: SENT_S).make(client, *REQUEST)


def checked(proof: bytes, *request: bytes, after_s: float = 0.0) -> str | None:
    return GatewayProof(KEY, clock=lambda: SENT_S + after_s).check(proof, *(request or REQUEST))


def test_the_client_is_whom_the_gateway_named():
    assert checked(proof_of()) == "2001:db8::7"


def test_another_key_makes_no_proof():
    assert checked(proof_of(OTHER_KEY)) is None


def test_an_earlier_key_counts_where_it_is_said_to():
    changing = GatewayProof(OTHER_KEY, KEY, clock=lambda: SENT_S)

    assert changing.check(proof_of(KEY), *REQUEST) == "2001:db8::7"
    assert changing.check(proof_of(OTHER_KEY), *REQUEST) == "2001:db8::7"
    assert (
        GatewayProof(OTHER_KEY, SecretStr(""), clock=lambda: SENT_S).check(proof_of(KEY), *REQUEST)
        is None
    )
    assert checked(changing.make(b"::1", *REQUEST)) is None  # It speaks by the new one.


@pytest.mark.parametrize("place", range(3))
def test_it_is_for_one_request(place):
    changed = [*REQUEST]
    changed[place] += b"x"

    assert checked(proof_of(), *changed) is None


@pytest.mark.parametrize("after_s", [59, -59])
def test_it_is_for_a_minute_either_way(after_s):
    assert checked(proof_of(), after_s=after_s) is not None
    assert SKEW_MAX_S == 60


@pytest.mark.parametrize("after_s", [61, -61])
def test_one_of_another_minute_tells_that_clocks_differ(after_s):
    with pytest.raises(ClocksApart):
        checked(proof_of(), after_s=after_s)


def test_a_forged_one_of_another_minute_tells_nothing():
    assert checked(proof_of(OTHER_KEY), after_s=61) is None


@pytest.mark.parametrize("place", range(len(proof_of())))
def test_a_changed_one_is_none(place):
    proof = bytearray(proof_of())
    proof[place] ^= 1

    assert checked(bytes(proof)) is None


@given(st.binary(max_size=200))
def test_whatever_else_is_none_and_breaks_nothing(proof):
    assert checked(proof) is None
