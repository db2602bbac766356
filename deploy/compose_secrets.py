"""The secrets of docker-compose.yml, a file for each: `python -m deploy.compose_secrets`.

What `secrets/` holds is kept. What it lacks comes from `.env` or the environment, as compose
reads them, and else is drawn. Addresses with a password in them, and what servers read, are made
of these anew each time. Containers run as other users and are given single files, so the files
are readable; what keeps them private is the folder, closed to others.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from deploy.alertmanager.render import VARIABLES, BadReceiver, render
from deploy.local import secrets
from deploy.local.errors import StackError
from deploy.local.private import private_folder
from deploy.local.settings import ROOT, read_settings
from deploy.postgres.bootstrap import BACKUP_ROLE, DATABASE, SERVICES
from deploy.valkey import acl
from shared.secret_files import SecretFileRefused, read_secrets

FOLDER = ROOT / "secrets"
# What a person gives, if at all: its file is empty until then.
GIVEN = (
    "GATEWAY_KEY_PREVIOUS", "ENCRYPTION_KEY_PREVIOUS", "INVENTORY_ENCRYPTION_KEY_PREVIOUS",
    "PRICE_ENCRYPTION_KEY_PREVIOUS", "ARCHIVE_ENCRYPTION_KEY_PREVIOUS",
    "BACKUP_ENCRYPTION_KEY_PREVIOUS", "BACKUP_REMOTE", "BACKUP_REMOTE_OPTIONS", "SMTP_URL",
    "MIRROR_DATABASE_URL", "MIRROR_PRIMARY_URL", "ALERT_SMTP_URL", "SLACK_WEBHOOK_URL",
    "PAGERDUTY_KEY", "PAGERDUTY_SECURITY_KEY", "ALERT_WEBHOOK_URL", "ALERT_WATCHDOG_URL",
)  # fmt: skip
_READABLE = 0o644


def file_name(variable: str) -> str:
    """Return how the file of a variable is called, here and in `/run/secrets`."""
    return variable.lower()


def write_all(folder: Path, environment: Mapping[str, str]) -> frozenset[str]:
    """Write what the folder lacks and return which of these were drawn.

    Raises StackError where a secret is another one in the environment than in its file, before
    anything is written.
    """
    drawn = secrets.fresh()
    names = (*drawn, *GIVEN)
    try:
        given = {name: environment.get(name, "") for name in names}
        given |= read_secrets(environment, names)
        paths = {f"{name}_FILE": str(folder / file_name(name)) for name in names}
        kept = read_secrets({name: path for name, path in paths.items() if _exists(path)}, names)
    except SecretFileRefused as error:
        raise StackError(str(error)) from None
    given = {name: value.rstrip("\r\n") for name, value in given.items() if value}
    differ = sorted(name for name, value in given.items() if kept.get(name, value) != value)
    if differ:
        raise StackError(
            f"Another one in .env, or the environment, than in {folder}: {', '.join(differ)}. "
            "Take it out of the one or the other."
        )
    chosen = drawn | dict.fromkeys(GIVEN, "") | given | kept
    texts = {file_name(name): value for name, value in chosen.items()}
    texts |= _made_of(chosen) | {"alertmanager_config": _alertmanager_config(environment, chosen)}
    private_folder(folder)
    for name, text in texts.items():
        _write(folder / name, text)
    return frozenset(drawn.keys() - given.keys() - kept.keys())


def _exists(path: str) -> bool:
    return Path(path).is_file()


def _made_of(chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the files that are made of the secrets, by their names."""

    def database(role: str, name: str = DATABASE) -> str:
        variable = secrets.password_name(role)
        return f"postgresql://{role}:{quote(chosen[variable], safe='')}@postgres:5432/{name}"

    return {
        "superuser_database_url": database("postgres", "postgres"),
        "owner_database_url": database("stock_owner"),
        "backup_database_url": database(BACKUP_ROLE),
        **{f"{service}_database_url": database(f"{service}_app") for service in SERVICES},
        **{
            f"{user}_redis_url": acl.url_as("rediss://valkey:6379/0", user, chosen)
            for user in acl.USERS
            if user not in {acl.OPERATOR, acl.MONITOR}
        },
        "valkey_users": acl.acl_file(chosen),
        "valkey_exporter_passwords": _exporter_passwords(chosen[acl.password_name(acl.MONITOR)]),
    }


def _exporter_passwords(password: str) -> str:
    """Return what redis_exporter reads: passwords by address, in newer ones with the user."""
    addresses = ("rediss://valkey:6379", f"rediss://{acl.MONITOR}@valkey:6379")
    return json.dumps(dict.fromkeys(addresses, password), indent=1)


def _alertmanager_config(environment: Mapping[str, str], chosen: Mapping[str, str]) -> str:
    """Return who is told of alerts, with the secrets in it: a container has no file of ours."""
    names = (*VARIABLES, "SMTP_URL", "MAIL_FROM")
    try:
        config = render({name: chosen.get(name) or environment.get(name, "") for name in names})
    except BadReceiver as error:
        raise StackError(str(error)) from None
    return json.dumps(config, indent=1)  # JSON is YAML.


def _write(path: Path, text: str) -> None:
    """Write the file, unless it says so already."""
    content = text if not text or text.endswith("\n") else f"{text}\n"
    if path.is_file() and path.read_text() == content:
        return
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(content)
    fresh.chmod(_READABLE)
    fresh.replace(path)


def main() -> int:
    try:
        drawn = write_all(FOLDER, read_settings().environment)
    except (StackError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(
        f"{FOLDER}: {len(drawn)} secrets drawn, all others kept. Keep a copy where the machine is "
        "not.\nThe first administrator's password is in secrets/admin_password, Grafana's in "
        "secrets/grafana_admin_password.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
