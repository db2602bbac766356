"""The bounds of claims, and what a signed token keeps."""

import json

import pytest

from shared.security.claims import InvalidToken, UserClaims
from shared.security.tokens import public_jwks
from tests.shared.security.test_tokens import (
    HEADER,
    NOW,
    PEM,
    SIGNER,
    payload_of,
    refuse,
    token_of,
    user_claims,
    verifier,
)

BIG = (1 << 53) - 1


@pytest.mark.parametrize(
    "changes",
    [
        {"ver": 0}, {"ver": BIG}, {"iat": NOW + 30}, {"nbf": NOW}, {"lang": "en"}, {"lang": None},
        {"scopes": [f"a{n}:read" for n in range(200)]},
    ],
)  # fmt: skip
async def test_the_bounds_themselves_are_accepted(changes):
    assert UserClaims.read(payload_of(iat=NOW, exp=NOW + 900, auth_time=NOW) | changes, NOW)


@pytest.mark.parametrize(
    "changes",
    [{"ver": BIG + 1}, {"ver": 1 << 54}, {"exp": NOW}, {"iat": NOW + 31}, {"nbf": NOW + 31},
     {"scopes": [f"a{n}:read" for n in range(201)]}, {"lang": "EN"}, {"lang": "xx"}],
)  # fmt: skip
async def test_one_step_beyond_the_bounds_is_refused(changes):
    with pytest.raises(InvalidToken):
        UserClaims.read(payload_of(iat=NOW, exp=NOW + 900, auth_time=NOW) | changes, NOW)


@pytest.mark.parametrize("language", ["en", "fr", None])
async def test_a_language_comes_back_as_it_was_signed(language):
    claims = user_claims(lang=language)

    assert await verifier().verify(SIGNER.sign(claims)) == claims


def test_the_signer_signs_under_the_id_that_is_published():
    assert [key["kid"] for key in public_jwks(PEM)["keys"]] == [SIGNER.kid]


@pytest.mark.parametrize("number", ["1.0", "1e3", "NaN", "Infinity"])
async def test_a_number_that_is_not_whole_is_refused_wherever_it_stands(number):
    text = json.dumps(payload_of())[:-1] + f', "surplus": {number}}}'

    await refuse(token_of(HEADER, text))
