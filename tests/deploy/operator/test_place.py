"""Where services are asked that do not run in this checkout."""

import sys

import pytest

from deploy.local.settings import read_settings
from deploy.operator import __main__ as program
from deploy.operator.__main__ import main
from deploy.operator.errors import OperatorError
from deploy.operator.place import Installation


@pytest.fixture
def elsewhere(tmp_path):
    """What runs a command elsewhere: a program that tells by what it was asked."""
    script = tmp_path / "through.py"
    script.write_text(
        "import json, sys\n"
        "if sys.argv[-1] == 'bad':\n    sys.exit('refused')\n"
        "print('a line of a log')\nprint(json.dumps(sys.argv[1:]))\n"
    )
    through = f"{sys.executable} {script} {{worker}}"
    return Installation(read_settings({}, tmp_path / "none"), tmp_path, through)


def test_a_command_goes_through_what_reaches_the_worker(elsewhere):
    asked = elsewhere.ask_json("inventory", "freeze", "a reason; of words", "id")

    assert asked == [
        "inventory-worker", "python", "-m", "services.inventory", "freeze", "a reason; of words",
        "id",
    ]  # fmt: skip


def test_what_a_service_refuses_is_told(elsewhere):
    with pytest.raises(OperatorError, match="auth bad: refused"):
        elsewhere.ask("auth", "bad")

    holds, said = elsewhere.judge("auth", "bad")
    assert (holds, said) == (False, "refused")


@pytest.mark.parametrize(
    "words",
    [
        [], ["incident"], ["status"], ["access-review"], ["reconcile"], ["preflight"],
        ["support-bundle"], *(["incident", act] for act in (
            "freeze", "lift", "end-sessions", "changes", "evidence",
        )),
    ],
    ids=" ".join,
)  # fmt: skip
def test_every_command_explains_itself(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])

    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert "usage: python -m deploy.operator" in said
    if words not in ([], ["incident"]):
        assert "--json" in said
        assert "Exit codes: 0 all is well, 1 it could not be done" in said


def test_an_unreachable_gateway_is_told_in_a_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(program, "configure_logging", lambda *_: None)  # Of this whole process.
    token = tmp_path / "token"
    token.write_text("x")
    words = ["status", "--url", "http://127.0.0.1:9", "--token-file", str(token), "--json"]

    assert main(words) == 1
    said = capsys.readouterr()
    assert "http://127.0.0.1:9/health does not answer" in said.err
    assert "Traceback" not in said.err
    assert said.out == ""
