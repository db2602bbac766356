import pytest

from services.auth.service_tokens.rules import SCOPES, is_secret_of


def test_only_the_gateway_reads_revocations():
    readers = {
        (name, target)
        for name, calls in SCOPES.items()
        for target, scopes in calls.items()
        if "revocations:read" in scopes
    }
    assert readers == {("gateway", "auth")}


def test_the_gateway_reads_no_journal():
    assert not any("journal:read" in scopes for scopes in SCOPES["gateway"].values())


@pytest.mark.parametrize(
    ("known", "given", "fits"),
    [
        ("s3cret", "s3cret", True),
        ("s3cret", "s3creT", False),
        ("s3cret", "", False),
        (None, "", False),
        (None, "s3cret", False),
        ("s3cret", "\ud800", False),
    ],
)
def test_secrets(known: str | None, given: str, *, fits: bool):
    assert is_secret_of(known, given) == fits
