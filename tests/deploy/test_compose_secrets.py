"""The files of compose's secrets: drawn once, kept, taken from `.env`, closed to others."""

import json
import shutil
import stat
import subprocess
from urllib.parse import unquote, urlsplit

import pytest
from dotenv import dotenv_values

from deploy.compose_secrets import GIVEN, write_all
from deploy.local import secrets
from deploy.local.errors import StackError


def read(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "secrets"


def test_the_first_time_all_are_drawn_into_a_folder_closed_to_others(folder):
    drawn = write_all(folder, {})

    assert drawn == set(secrets.fresh())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o644}
    assert all(read(folder)[name.lower()] == "" for name in GIVEN)


def test_the_second_time_nothing_changes(folder):
    write_all(folder, {})
    before = {path.name: (path.stat().st_mtime_ns, path.read_text()) for path in folder.iterdir()}

    assert write_all(folder, {}) == frozenset()

    after = {path.name: (path.stat().st_mtime_ns, path.read_text()) for path in folder.iterdir()}
    assert after == before


def test_those_of_an_env_file_move_into_files(folder, tmp_path):
    """An installation whose secrets stood in `.env` goes on with the same."""
    told = secrets.fresh() | {"SMTP_URL": "smtps://mail.example.com:465"}
    (tmp_path / ".env").write_text(secrets.as_env_file(told))

    assert write_all(folder, dotenv_values(tmp_path / ".env")) == frozenset()

    found = read(folder)
    assert {name: found[name.lower()].rstrip("\n") for name in told} == {
        name: value.rstrip("\n") for name, value in told.items()
    }


def test_what_was_written_by_hand_stays(folder):
    write_all(folder, {})
    (folder / "smtp_url").write_text("smtp://mail.example.com")

    write_all(folder, {})

    assert read(folder)["smtp_url"].strip() == "smtp://mail.example.com"


def test_a_secret_that_came_later_is_added(folder):
    write_all(folder, {})
    (folder / "metrics_token").unlink()

    assert write_all(folder, {}) == {"METRICS_TOKEN"}


def test_two_that_differ_are_named_and_nothing_is_written(folder):
    write_all(folder, {})
    (folder / "gateway_key").unlink()
    before = read(folder)

    with pytest.raises(StackError, match=r"Another one in \.env, .*: ENCRYPTION_KEY, JWT_SECRET"):
        write_all(folder, {"JWT_SECRET": "another", "ENCRYPTION_KEY": "another"})

    assert read(folder) == before


def test_a_file_that_the_environment_names_is_read(folder, tmp_path):
    (tmp_path / "token").write_text("from-elsewhere\n")

    write_all(folder, {"METRICS_TOKEN_FILE": str(tmp_path / "token")})

    assert read(folder)["metrics_token"] == "from-elsewhere\n"


def test_addresses_follow_their_passwords(folder):
    write_all(folder, {})
    (folder / "auth_app_password").write_text("p@ss/word\n")
    (folder / "auth_redis_password").write_text("ab12\n")

    write_all(folder, {})

    found = read(folder)
    database, redis = urlsplit(found["auth_database_url"]), urlsplit(found["auth_redis_url"])
    assert (database.username, unquote(database.password)) == ("auth_app", "p@ss/word")
    assert (database.hostname, database.port, database.path.strip()) == ("postgres", 5432, "/stock")
    assert (redis.scheme, redis.username, redis.password) == ("rediss", "auth", "ab12")
    assert found["superuser_database_url"].startswith("postgresql://postgres:")
    assert found["superuser_database_url"].strip().endswith("@postgres:5432/postgres")


def test_the_file_of_valkey_holds_no_password(folder):
    write_all(folder, {})

    found = read(folder)
    users = found.pop("valkey_users")
    passwords = [value.strip() for name, value in found.items() if name.endswith("redis_password")]
    assert len(passwords) > 4
    assert not [each for each in passwords if each in users]


def test_alertmanager_is_told_whom_the_environment_names(folder):
    write_all(folder, {})
    (folder / "pagerduty_key").write_text("from-its-file\n")

    write_all(folder, {"ALERT_EMAIL_TO": "ops@example.com", "SMTP_URL": "smtp://mail.example.com"})

    config = json.loads(read(folder)["alertmanager_config"])
    [critical] = [each for each in config["receivers"] if each["name"] == "critical"]
    assert critical["pagerduty_configs"][0]["routing_key"] == "from-its-file"
    assert critical["email_configs"][0]["to"] == "ops@example.com"
    assert config["global"]["smtp_smarthost"] == "mail.example.com:587"


def test_a_receiver_that_cannot_be_told_is_named_before_anything_is_written(folder):
    with pytest.raises(StackError, match="ALERT_EMAIL_TO needs a mail server"):
        write_all(folder, {"ALERT_EMAIL_TO": "ops@example.com"})

    assert not folder.exists()


@pytest.mark.skipif(shutil.which("amtool") is None, reason="amtool is not installed")
@pytest.mark.parametrize("told", [{}, {"ALERT_WEBHOOK_URL": "https://hooks.example.com/1"}])
def test_amtool_takes_what_alertmanager_of_compose_reads(folder, told):
    write_all(folder, told)

    done = subprocess.run(  # noqa: S603 - our own file.
        ["amtool", "check-config", str(folder / "alertmanager_config")],  # noqa: S607 - where it is.
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_exporter_of_valkey_finds_its_password_by_either_address(folder):
    write_all(folder, {})

    found = read(folder)
    passwords = json.loads(found["valkey_exporter_passwords"])
    assert set(passwords) == {"rediss://valkey:6379", "rediss://monitor@valkey:6379"}
    assert set(passwords.values()) == {found["monitor_redis_password"].strip()}
