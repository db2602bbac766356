"""Claims of who has still to enrol, and of services: read as they were written, or not at all."""

import time
from uuid import UUID, uuid4

import pytest

from shared.security.claims import EnrolmentClaims, InvalidToken, ServiceClaims, UserClaims

NOW = time.time()


def enrolment(**changes: object) -> dict[str, object]:
    claims = EnrolmentClaims(
        sub=UUID(int=1),
        tid=UUID(int=2),
        ver=3,
        jti=UUID(int=4),
        iat=int(NOW),
        exp=int(NOW) + 600,
        amr=("pwd", "otp"),
        todo=("password", "factor"),
        lang="fr",
    )
    return claims.payload() | changes


def test_enrolment_claims_are_read_as_they_were_written():
    payload = enrolment()

    claims = EnrolmentClaims.read(payload, NOW)

    assert claims.payload() == payload
    assert (claims.sub, claims.tid, claims.jti) == (UUID(int=1), UUID(int=2), UUID(int=4))
    assert (claims.ver, claims.amr, claims.todo) == (3, ("pwd", "otp"), ("password", "factor"))
    assert (claims.iat, claims.exp, claims.lang) == (int(NOW), int(NOW) + 600, "fr")
    assert payload == {
        "iss": "stock-auth", "aud": "stock-enrolment", "sub": str(UUID(int=1)),
        "tid": str(UUID(int=2)), "ver": 3, "jti": str(UUID(int=4)), "iat": int(NOW),
        "exp": int(NOW) + 600, "amr": ["pwd", "otp"], "todo": ["password", "factor"], "lang": "fr",
    }  # fmt: skip
    assert EnrolmentClaims.read(enrolment(lang=None), NOW).lang is None


@pytest.mark.parametrize("name", enrolment())
def test_each_claim_of_an_enrolment_is_needed(name: str):
    payload = enrolment()
    del payload[name]

    with pytest.raises(InvalidToken):
        EnrolmentClaims.read(payload, NOW)


@pytest.mark.parametrize(
    "changes",
    [{"sub": "x"}, {"tid": 1}, {"jti": None}, {"ver": "3"}, {"amr": "pwd"}, {"amr": ["PWD"]},
     {"todo": "factor"}, {"todo": [1]}, {"lang": "de"}, {"exp": int(NOW)}, {"iss": "x"},
     {"iat": int(NOW) + 86_400}],
)  # fmt: skip
def test_each_claim_of_an_enrolment_has_its_form(changes: dict[str, object]):
    with pytest.raises(InvalidToken):
        EnrolmentClaims.read(enrolment(**changes), NOW)


@pytest.mark.asvs("C04")
@pytest.mark.parametrize("audience", ["stock-api", "stock-internal", "stock-internal/auth", ""])
def test_no_token_for_another_use_enrols(audience: str):
    with pytest.raises(InvalidToken):
        EnrolmentClaims.read(enrolment(aud=audience), NOW)
    with pytest.raises(InvalidToken):
        UserClaims.read(enrolment(aud="stock-enrolment"), NOW)


@pytest.mark.asvs("C05")
@pytest.mark.parametrize(
    "audience",
    ["stock-internal", "stock-internal/", "stock-internal/Auth", "stock-internal/a/b", "stock/auth",
     "/auth", "", None, 1, ["stock-internal/auth"]],
)  # fmt: skip
def test_a_service_token_names_one_service_that_it_is_for(audience: object):
    claims = ServiceClaims(
        sub="reporting", target="auth", jti=uuid4(), iat=int(NOW), exp=int(NOW) + 60,
        scopes=frozenset({"journal:read"}),
    )  # fmt: skip

    assert ServiceClaims.read(claims.payload(), NOW) == claims
    with pytest.raises(InvalidToken):
        ServiceClaims.read(claims.payload() | {"aud": audience}, NOW)
