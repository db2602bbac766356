import pytest

from services.auth.accounts.rules import require_open
from services.auth.errors import InvitationNeeded, RegistrationClosed


def test_open_registration_lets_everybody_in():
    assert require_open("open") is None


def test_closed_registration_lets_nobody_in():
    with pytest.raises(RegistrationClosed):
        require_open("closed")


def test_by_invitation_nobody_comes_uninvited():
    with pytest.raises(InvitationNeeded):
        require_open("invite")
