"""`preflight`: what must hold before an installation is let into the world, as far as can be seen.

docs/checklist.md has the whole list, with what only people can check.
"""

import ctypes
import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from deploy.alertmanager.render import BadReceiver, render
from deploy.local.errors import StackError
from deploy.local.secrets import MAKERS
from deploy.operator.database import ask_database
from deploy.operator.errors import OperatorError
from deploy.operator.place import Installation, show
from deploy.operator.preflight_running import check_running
from deploy.operator.preflight_server import examine_server
from deploy.operator.report import Findings, Report
from shared.settings import is_placeholder

DISK_FREE_MIN = 0.15  # As the alert DiskSpaceLow has it.
RATE_SCALE_MAX = 10.0
_UNSYNCHRONISED = 5  # TIME_ERROR of adjtimex(2).
_TIMEX_BYTES = 512  # More than the kernel writes.
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def preflight(place: Installation) -> Report:
    """Return what is well, doubtful and wrong; what is wrong is a finding."""
    found = Findings()
    for what, check in (
        ("settings", _check_settings),
        ("secrets", _check_secrets),
        ("connections", _check_connections),
        ("alerts", _check_alerts),
        ("machine", _check_machine),
    ):
        show(f"{what} …")
        check(place, found)
    show("running system …")
    try:
        check_running(place, found)
    except (OperatorError, StackError) as error:
        found.add("running system", "fail", str(error), "start it, then run this again")
    show("database server …")
    try:
        for each in ask_database(place, examine_server):
            found.found.append(each)
    except OperatorError as error:
        found.add("database server", "fail", str(error), "name it by SUPERUSER_DATABASE_URL")
    return found.report()


def _check_settings(place: Installation, found: Findings) -> None:
    given = place.settings.environment
    stage = given.get("ENVIRONMENT") or "development"
    found.check("ENVIRONMENT", stage == "production", stage, "set ENVIRONMENT=production")
    registration = given.get("REGISTRATION") or (
        "closed" if stage == "production" else "that of development"
    )
    found.check(
        "REGISTRATION", registration in {"closed", "invite"}, registration,
        "set REGISTRATION=closed, unless strangers shall register",
    )  # fmt: skip
    level = given.get("LOG_LEVEL") or "INFO"
    found.check("LOG_LEVEL", level != "DEBUG", level, "set LOG_LEVEL=INFO", else_="warn")
    scale = float(given.get("RATE_LIMIT_SCALE") or 1)
    found.check(
        "RATE_LIMIT_SCALE", scale <= RATE_SCALE_MAX, f"{scale:g}", "rates keep nobody off: lower it"
    )
    found.check(
        "SMTP_URL", bool(given.get("SMTP_URL")), "set" if given.get("SMTP_URL") else "not set",
        "without it no mail leaves: invitations and resets lie in a folder",
    )  # fmt: skip
    found.check(
        "BACKUP_REMOTE", bool(given.get("BACKUP_REMOTE")),
        "set" if given.get("BACKUP_REMOTE") else "not set",
        "backups that lie on this machine are lost with it: name another place", else_="warn",
    )  # fmt: skip


def _check_secrets(place: Installation, found: Findings) -> None:
    given, kept = place.settings.environment, place.secrets
    for name in MAKERS:
        value = given.get(name) or given.get(f"{name}_FILE") or kept.get(name) or ""
        is_file = not given.get(name) and bool(given.get(f"{name}_FILE"))
        if not value:
            found.add(name, "fail", "not set", "`make keys` prints a fresh one")
        elif not is_file and is_placeholder(value):
            found.add(name, "fail", "a placeholder", "`make keys` prints a fresh one")
    bad = [each.what for each in found.found if each.what in MAKERS]
    if not bad:
        found.add("secrets", "ok", f"{len(MAKERS)} are set, and none is a placeholder")
    path = place.state_dir / "secrets.env"
    if path.exists():
        mode = path.stat().st_mode & 0o777
        found.check("secrets.env", not mode & 0o077, f"mode {mode:o}", f"chmod 600 {path.name}")


def _check_connections(place: Installation, found: Findings) -> None:
    given = place.settings.environment
    address = given.get("SUPERUSER_DATABASE_URL") or given.get("DATABASE_URL") or ""
    is_checked = _is_true(given.get("PG_SSL")) or "verify-full" in (
        given.get("PG_SSL_MODE"), *urlsplit(address).query.replace("=", "&").split("&"),
    )  # fmt: skip
    is_socket = not address or ("host=" in address and not urlsplit(address).hostname)
    said = "on a socket of this machine" if is_socket else f"verify-full: {is_checked}"
    found.check("TLS to PostgreSQL", is_socket or is_checked, said, "set PG_SSL=true")
    redis = given.get("REDIS_URL") or ""
    is_near = not redis or urlsplit(redis).hostname in _LOOPBACK or redis.startswith("unix:")
    is_secured = redis.startswith("rediss://") or _is_true(given.get("REDIS_TLS"))
    said = "on this machine" if is_near else f"TLS: {is_secured}"
    found.check("TLS to Redis", is_near or is_secured, said, "set REDIS_TLS=true")
    public = given.get("PUBLIC_URL") or ""
    is_https = public.startswith("https://") or bool(given.get("GATEWAY_TLS_CERT"))
    found.check(
        "HTTPS for clients", is_https, public or "PUBLIC_URL is not set",
        "give the gateway GATEWAY_TLS_CERT, or put a proxy before it and say PUBLIC_URL=https://…",
    )  # fmt: skip
    origins = given.get("ALLOWED_ORIGINS") or ""
    plain = [one for one in origins.split(",") if one.strip().startswith("http://")]
    said = plain[0] if plain else origins or "none"
    found.check("ALLOWED_ORIGINS", not plain, said, "let in pages of HTTPS alone")


def _check_alerts(place: Installation, found: Findings) -> None:
    given = place.settings.environment
    names = ("ALERT_EMAIL_TO", "SLACK_WEBHOOK_URL", "PAGERDUTY_KEY", "ALERT_WEBHOOK_URL")
    told = [name for name in names if given.get(name) or given.get(f"{name}_FILE")]
    advice = f"set one of {', '.join(names)}: now nobody is told of an alert"
    try:
        render(_with_files(given))
    except BadReceiver as error:
        found.add("receivers of alerts", "fail", str(error), advice)
    else:
        found.check("receivers of alerts", bool(told), ", ".join(told) or "none", advice)
    watchdog = bool(given.get("ALERT_WATCHDOG_URL"))
    found.check(
        "ALERT_WATCHDOG_URL", watchdog, "set" if watchdog else "not set",
        "let a service elsewhere notice that alerts do not come any more", else_="warn",
    )  # fmt: skip


def _check_machine(place: Installation, found: Findings) -> None:
    folders = {
        "data": place.state_dir,
        "backups": Path(place.settings.environment.get("BACKUP_DIR") or place.state_dir),
    }
    for name, folder in folders.items():
        if folder.is_dir():
            usage = shutil.disk_usage(folder)
            free = usage.free / usage.total
            said = f"{free:.0%} of {usage.total / 1e9:.0f} GB free"
            found.check(f"disk of {name}", free > DISK_FREE_MIN, said, "make room")
    found.check(
        "clock", is_clock_kept(), "kept by NTP" if is_clock_kept() else "kept by nobody",
        "run chrony or systemd-timesyncd: a clock that is off refuses tokens and codes",
        else_="warn",
    )  # fmt: skip


def is_clock_kept() -> bool:
    """Say whether the kernel holds this machine's clock to be synchronised."""
    try:
        state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return False
    return 0 <= state != _UNSYNCHRONISED


def _with_files(given: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in given.items() if value}


def _is_true(value: str | None) -> bool:
    """Say whether a setting is switched on."""
    return (value or "").lower() in {"1", "true", "yes", "on"}
