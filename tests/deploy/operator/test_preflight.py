"""Each check of the settings, well and not well; the running system is in tests/e2e."""

from typing import Any

import pytest

from deploy.local.secrets import fresh
from deploy.local.settings import read_settings
from deploy.operator import preflight
from deploy.operator.place import Installation
from deploy.operator.preflight_server import judge_settings
from deploy.operator.report import DONE, FINDINGS, Findings

GOOD = {
    "ENVIRONMENT": "production", "SMTP_URL": "smtps://mail.example", "BACKUP_REMOTE": "s3://b",
    "PUBLIC_URL": "https://stock.example", "ALERT_EMAIL_TO": "ops@shop.example",
    "ALERT_EMAIL_FROM": "alerts@shop.example", "ALERT_WATCHDOG_URL": "https://watch.example/x",
    "ALLOWED_ORIGINS": "https://shop.example", "ALERT_SMTP_URL": "smtp://u:p@mail.example:587",
    **fresh(),
}  # fmt: skip
SERVER = {
    "server_version": "18.1", "server_version_num": "180001", "fsync": "on",
    "full_page_writes": "on", "synchronous_commit": "on", "wal_level": "replica",
    "max_slot_wal_keep_size": "2048", "max_connections": "320",
    "password_encryption": "scram-sha-256", "data_checksums": "on",
}  # fmt: skip


def graded(tmp_path: Any, **changes: str) -> dict[str, str]:
    settings = read_settings(GOOD | changes, tmp_path / "none")
    place, found = Installation(settings, tmp_path), Findings()
    for check in (
        preflight._check_settings, preflight._check_secrets, preflight._check_connections,
        preflight._check_alerts,
    ):  # fmt: skip
        check(place, found)
    return {each.what: each.grade for each in found.found}


def test_what_is_set_well_is_well(tmp_path):
    assert set(graded(tmp_path).values()) == {"ok"}


@pytest.mark.parametrize(
    ("name", "value", "what", "grade"),
    [
        ("ENVIRONMENT", "development", "ENVIRONMENT", "fail"),
        ("REGISTRATION", "open", "REGISTRATION", "fail"),
        ("LOG_LEVEL", "DEBUG", "LOG_LEVEL", "warn"),
        ("RATE_LIMIT_SCALE", "1000", "RATE_LIMIT_SCALE", "fail"),
        ("SMTP_URL", "", "SMTP_URL", "fail"),
        ("BACKUP_REMOTE", "", "BACKUP_REMOTE", "warn"),
        ("GATEWAY_KEY", "change-me-now-please", "GATEWAY_KEY", "fail"),
        ("PRICE_ENCRYPTION_KEY", "", "PRICE_ENCRYPTION_KEY", "fail"),
        ("SUPERUSER_DATABASE_URL", "postgresql://db.example/x", "TLS to PostgreSQL", "fail"),
        (
            "SUPERUSER_DATABASE_URL", "postgresql://db.example/x?sslmode=verify-full",
            "TLS to PostgreSQL", "ok",
        ),
        ("REDIS_URL", "redis://cache.example", "TLS to Redis", "fail"),
        ("REDIS_URL", "rediss://cache.example", "TLS to Redis", "ok"),
        ("PUBLIC_URL", "http://stock.example", "HTTPS for clients", "fail"),
        ("ALLOWED_ORIGINS", "http://shop.example", "ALLOWED_ORIGINS", "fail"),
        ("ALERT_EMAIL_TO", "", "receivers of alerts", "fail"),
        ("ALERT_SMTP_URL", "nonsense", "receivers of alerts", "fail"),
        ("ALERT_WATCHDOG_URL", "", "ALERT_WATCHDOG_URL", "warn"),
    ],
)  # fmt: skip
def test_what_is_not_well_is_named(tmp_path, name, value, what, grade):
    assert graded(tmp_path, **{name: value})[what] == grade


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("server_version_num", "140009"), ("fsync", "off"), ("full_page_writes", "off"),
        ("synchronous_commit", "off"), ("wal_level", "minimal"), ("max_slot_wal_keep_size", "-1"),
        ("password_encryption", "md5"),
    ],
)  # fmt: skip
def test_a_server_that_loses_what_it_acknowledged_fails(name, value):
    well, bad = Findings(), Findings()

    judge_settings(SERVER, well)
    judge_settings(SERVER | {name: value}, bad)

    assert (well.report().exit_code, bad.report().exit_code) == (DONE, FINDINGS)
    assert bad.report().content["counted"]["fail"] == 1


def test_advice_stands_where_something_is_not_well():
    found = Findings()
    found.check("a", SERVER["fsync"] == "on", "is", "do")
    found.check("b", SERVER["fsync"] == "off", "is not", "do that", else_="warn")

    lines = found.report().lines

    assert lines == ["ok    a: is", "warn  b: is not -> do that", "1 ok, 1 warn, 0 fail"]
