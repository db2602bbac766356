import sys

import pytest

from shared import cli


@pytest.mark.parametrize("verb", ["rebuild", "retry"])
def test_who_follows_nobody_has_nothing_to_make_anew(monkeypatch, verb):
    monkeypatch.setattr(sys, "argv", ["auth", verb])

    with pytest.raises(SystemExit, match=f"auth follows no other .* nothing to {verb}"):
        cli.main("services.auth")


@pytest.mark.parametrize("verbs", [[], ["sing"], ["serve", "sing"]])
def test_what_is_no_verb_is_answered_with_those_there_are(monkeypatch, verbs):
    monkeypatch.setattr(sys, "argv", ["inventory", *verbs])

    with pytest.raises(SystemExit, match=r"usage: python -m services\.inventory serve"):
        cli.main("services.inventory")
