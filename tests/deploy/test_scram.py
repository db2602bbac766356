import base64

import pytest

from deploy.postgres.scram import is_verifier_of, scram_verifier


def test_verifier_is_the_one_of_the_rfc():
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")

    verifier = scram_verifier("pencil", salt, 4096)

    # RFC 7677, section 3: the exchange it prints follows from these two keys.
    assert verifier == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ=="
        "$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
        ":wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )


def test_every_verifier_has_its_own_salt():
    assert scram_verifier("pencil") != scram_verifier("pencil")


@pytest.mark.parametrize(
    ("stored", "fits"),
    [
        (scram_verifier("pencil"), True),
        (scram_verifier("pencil", iterations=5000), True),
        (scram_verifier("pen"), False),
        (None, False),
        ("", False),
        ("md5d41d8cd98f00b204e9800998ecf8427e", False),
        ("SCRAM-SHA-256$x:y$z:w", False),
    ],
)
def test_stored_verifier_is_recognised(stored, fits):
    assert is_verifier_of(stored, "pencil") is fits


@pytest.mark.parametrize("password", ["", "mot de passe é", "line\nbreak"])
def test_password_that_saslprep_could_change_is_refused(password):
    with pytest.raises(ValueError, match="printable ASCII"):
        scram_verifier(password)
