"""Secrets of the local stack: made once, kept in one private file, never overwritten."""

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from dotenv import dotenv_values

from deploy.local.private import private_folder
from deploy.postgres.bootstrap import ROLES, SERVICES
from deploy.valkey import acl

KEY_BYTES = 32


def _key() -> str:
    return secrets.token_hex(KEY_BYTES)


def _rsa_private_key() -> str:
    # Imported here: it takes 0.1 s and is needed once in the life of a checkout.
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - see above.
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 - see above.

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def password_name(role: str) -> str:
    """Return the variable that holds a database role's password."""
    return f"{role.upper()}_PASSWORD"


def journal_key_name(service: str) -> str:
    """Return the variable that holds a service's JOURNAL_SIGNING_KEY in the stack's own file."""
    return f"{service.upper()}_JOURNAL_SIGNING_KEY"


MAKERS: Mapping[str, Callable[[], str]] = {
    "JWT_PRIVATE_KEY": _rsa_private_key,
    "JWT_SECRET": _key,
    "GATEWAY_KEY": _key,
    "METRICS_TOKEN": _key,
    "ENCRYPTION_KEY": _key,
    "INVENTORY_ENCRYPTION_KEY": _key,
    "PRICE_ENCRYPTION_KEY": _key,
    "BACKUP_ENCRYPTION_KEY": _key,
    "ARCHIVE_ENCRYPTION_KEY": _key,
    "ADMIN_PASSWORD": lambda: secrets.token_urlsafe(18),
    **{f"{name.upper()}_CLIENT_SECRET": _key for name in (*SERVICES, "gateway") if name != "auth"},
    **{journal_key_name(service): _key for service in SERVICES},
    **{password_name(role): _key for role in ROLES},
    **{acl.password_name(user): _key for user in acl.USERS},
}

# Of servers that only docker-compose.yml has: PostgreSQL's superuser (the embedded one needs none),
# and Grafana's administrator and what it seals with.
SERVER_PASSWORDS = ("POSTGRES_PASSWORD", "GRAFANA_ADMIN_PASSWORD", "GRAFANA_SECRET_KEY")


def fresh() -> dict[str, str]:
    """Return a new value for every secret, those of servers in containers included."""
    local = {name: make() for name, make in MAKERS.items()}
    return local | {name: _key() for name in SERVER_PASSWORDS}


def as_env_file(values: Mapping[str, str]) -> str:
    """Return the lines of an env file that python-dotenv and compose read back unchanged.

    Line breaks are escaped in double quotes; no generated secret holds a quote or backslash.
    """
    return "".join(f"{name}={_quoted(value)}\n" for name, value in values.items())


def _quoted(value: str) -> str:
    return '"' + value.replace("\n", "\\n") + '"' if "\n" in value else value


def load(path: Path) -> tuple[dict[str, str], frozenset[str]]:
    """Return all secrets of `path`, adding those it lacks, and the names of the added ones.

    What the file holds is kept as it is. The file is private to its owner from the first byte.
    """
    kept = path.read_text() if path.exists() else ""
    values = read(path)
    added = {name: make() for name, make in MAKERS.items() if name not in values}
    if added:
        separator = "\n" if kept and not kept.endswith("\n") else ""
        _write_private(path, kept + separator + as_env_file(added))
    return values | added, frozenset(added)


def read(path: Path) -> dict[str, str]:
    """Return what the file holds; nothing before the first start."""
    return {name: value for name, value in dotenv_values(path).items() if value}


def _write_private(path: Path, text: str) -> None:
    private_folder(path.parent)
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
