"""Secrets in files: read as if the variable said it, refused where it is not clear which holds."""

import pytest
from pydantic import SecretStr

from shared.secret_files import LENGTH_MAX, SecretFileRefused, read_secrets
from shared.settings import ProcessSettings, load_settings

TOKEN = "c75ba1a4e6f0d1389b2c5d7e08f3a64b"


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """Nothing but what the test sets, and no .env file."""
    monkeypatch.chdir(tmp_path)
    for name in ProcessSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(f"{name.upper()}_FILE", raising=False)


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


def refusal() -> str:
    with pytest.raises(SystemExit) as ended:
        load_settings(ProcessSettings)
    return str(ended.value)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_may_lie_in_a_file(monkeypatch, token_file, end):
    token_file.write_text(TOKEN + end)
    monkeypatch.setenv("METRICS_TOKEN_FILE", str(token_file))

    assert load_settings(ProcessSettings).metrics_token.get_secret_value() == TOKEN


def test_the_file_may_be_named_in_the_env_file(tmp_path, token_file):
    (tmp_path / ".env").write_text(f"METRICS_TOKEN_FILE={token_file}\n")

    assert load_settings(ProcessSettings).metrics_token.get_secret_value() == TOKEN


def test_an_empty_variable_is_none_beside_the_file(monkeypatch, token_file):
    """Compose hands an optional variable on as an empty one."""
    monkeypatch.setenv("METRICS_TOKEN", "")
    monkeypatch.setenv("METRICS_TOKEN_FILE", str(token_file))

    assert load_settings(ProcessSettings).metrics_token == SecretStr(TOKEN)


def test_a_secret_given_twice_is_refused(monkeypatch, tmp_path, token_file):
    (tmp_path / ".env").write_text("METRICS_TOKEN=canary-of-the-env-file\n")
    monkeypatch.setenv("METRICS_TOKEN_FILE", str(token_file))

    assert refusal() == (
        "configuration error: METRICS_TOKEN: given twice; unset METRICS_TOKEN or METRICS_TOKEN_FILE"
    )


def test_a_file_that_is_not_there_is_named_in_one_line(monkeypatch):
    monkeypatch.setenv("METRICS_TOKEN_FILE", "absent")

    assert refusal() == (
        "configuration error: METRICS_TOKEN_FILE: the file is not read: No such file or directory"
    )


@pytest.mark.parametrize("suffix", ["_FILE", "__FILE"])
def test_both_ways_of_naming_a_file_are_taken(token_file, suffix):
    named = {f"METRICS_TOKEN{suffix}": str(token_file)}

    assert read_secrets(named, ["METRICS_TOKEN"]) == {"METRICS_TOKEN": TOKEN}


def test_a_secret_in_two_files_is_refused(token_file):
    named = {f"METRICS_TOKEN{suffix}": str(token_file) for suffix in ("_FILE", "__FILE")}

    with pytest.raises(SecretFileRefused, match="METRICS_TOKEN: given twice"):
        read_secrets(named, ["METRICS_TOKEN"])


@pytest.mark.parametrize("content", ["", "\n"])
def test_an_empty_file_says_nothing(monkeypatch, token_file, content):
    """Compose mounts a file for each secret that there may be."""
    token_file.write_text(content)
    monkeypatch.setenv("METRICS_TOKEN_FILE", str(token_file))
    monkeypatch.setenv("REDIS_URL_FILE", str(token_file))

    assert refusal() == "configuration error: METRICS_TOKEN: Field required"


@pytest.mark.parametrize("content", [b"x" * (LENGTH_MAX + 1), b"\xff\xfe"])
def test_a_file_without_a_secret_in_it_is_refused(token_file, content):
    token_file.write_bytes(content)

    with pytest.raises(SecretFileRefused, match=r"^METRICS_TOKEN_FILE: "):
        read_secrets({"METRICS_TOKEN_FILE": str(token_file)}, ["METRICS_TOKEN"])


def test_what_lies_in_a_file_must_be_good_too(monkeypatch, token_file):
    token_file.write_text("weak\n")
    monkeypatch.setenv("METRICS_TOKEN_FILE", str(token_file))

    assert refusal().startswith("configuration error: METRICS_TOKEN: ")


def test_a_setting_that_is_no_secret_has_no_file(monkeypatch, token_file):
    monkeypatch.setenv("METRICS_TOKEN", TOKEN)
    monkeypatch.setenv("HOST_FILE", str(token_file))

    assert load_settings(ProcessSettings).host == "127.0.0.1"
