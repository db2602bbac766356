import math
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from services.auth.identity_providers.rules import authorization_url, challenge_of, proved_at


def test_the_challenge_is_that_of_the_rfc():
    """RFC 7636, appendix B."""
    assert (
        challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


def test_nothing_that_is_asked_leaves_its_place():
    given = {"client_id": "a&b=c", "redirect_uri": "https://x/?y=1", "state": "s", "nonce": "n"}

    url = authorization_url("https://p/authorize?tenant=1", **given, verifier="v", fresh=False)

    asked = parse_qs(urlsplit(url).query)
    assert {name: asked[name] for name in given} == {name: [value] for name, value in given.items()}
    assert asked["tenant"] == ["1"]
    assert not {"prompt", "max_age"} & asked.keys()
    assert asked["code_challenge"] == [challenge_of("v")]


NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("auth_time", "age_s"),
    [
        (NOW.timestamp() - 90, 90),
        (int(NOW.timestamp()) + 30, 0),  # Its clock is ahead.
        (0, 3600),
        (None, 3600),
        ("1795867200", 3600),
        (math.nan, 3600),
        (math.inf, 0),
        (10**400, 0),
        ([], 3600),
    ],
)
def test_what_a_provider_says_of_its_proof_is_no_fresher_than_it_says(auth_time, age_s):
    assert proved_at(auth_time, NOW) == NOW - timedelta(seconds=age_s)
