"""Secrets that lie in files: NAME_FILE, or NAME__FILE, gives the path of what NAME would say."""

from collections.abc import Iterable, Mapping
from pathlib import Path

SUFFIXES = ("_FILE", "__FILE")
LENGTH_MAX = 65_536


class SecretFileRefused(ValueError):
    """A secret is given twice, or its file cannot be read; the text names the variable."""


def read_secrets(environment: Mapping[str, str | None], names: Iterable[str]) -> dict[str, str]:
    """Return what lies in the files of those secrets that have one. Raises SecretFileRefused.

    An empty file says nothing, as an empty variable does: containers are given a file for each
    secret that there may be.
    """
    found = {}
    for name in names:
        for suffix in SUFFIXES:
            if path := environment.get(name + suffix):
                if name in found or environment.get(name):
                    raise SecretFileRefused(f"{name}: given twice; unset {name} or {name}{suffix}")
                found[name] = _read(name + suffix, path)
    return {name: secret for name, secret in found.items() if secret}


def _read(variable: str, path: str) -> str:
    """Return the secret without the line break that an editor leaves at the end."""
    try:
        secret = Path(path).read_text().rstrip("\r\n")
    except OSError as error:
        raise SecretFileRefused(f"{variable}: the file is not read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SecretFileRefused(f"{variable}: the file is no text") from error
    if len(secret) > LENGTH_MAX:
        raise SecretFileRefused(f"{variable}: the file is too long for a secret")
    return secret
