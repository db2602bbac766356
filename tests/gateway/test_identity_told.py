"""What is told to who sends something that is no access token: what it is, and what to send."""

import time
from uuid import uuid4

import pytest

from shared.security.claims import EnrolmentClaims
from tests.support.gateway import SIGNER, House, make_token


@pytest.mark.parametrize(
    "authorization",
    ["Bearer", "Basic YTpi", "bearer\tx", "x" * 6_000, "Bearer " + "é", make_token(),
     f"Token {make_token()}"],
)  # fmt: skip
async def test_what_is_no_bearer_is_told_how_to_be_one(house: House, authorization):
    headers = {"Authorization": authorization.encode()}

    answer = await house.client.get("/api/inventory", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "authorization_scheme")
    assert "Bearer, a space" in answer.json()["detail"]
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert not house.inventory.received


async def test_an_enrolment_token_elsewhere_is_told_what_it_is_for(house: House):
    now = int(time.time())
    house.token = SIGNER.sign(
        EnrolmentClaims(
            sub=uuid4(), tid=uuid4(), ver=1, jti=uuid4(), iat=now, exp=now + 600, amr=("pwd",),
            todo=("factor",),
        )
    )  # fmt: skip

    answer = await house.get("/api/inventory")

    assert (answer.status_code, answer.json()["code"]) == (401, "enrolment_unfinished")
    assert "/api/auth/change-password" in answer.json()["detail"]
    assert not house.inventory.received


async def test_what_is_no_key_is_told_as_a_key(house: House):
    house.token = "ik_mistyped"

    answer = await house.get("/api/inventory")

    assert (answer.status_code, answer.json()["code"]) == (401, "api_key_invalid")
    assert "/api/auth/api-keys" in answer.json()["detail"]
