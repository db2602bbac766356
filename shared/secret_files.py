"""Secrets that lie in files: NAME_FILE gives the path of what NAME would say itself."""

from collections.abc import Iterable, Mapping
from pathlib import Path

SUFFIX = "_FILE"
LENGTH_MAX = 65_536


class SecretFileRefused(ValueError):
    """A secret is given twice, or its file cannot be read; the text names the variable."""


def read_secrets(environment: Mapping[str, str | None], names: Iterable[str]) -> dict[str, str]:
    """Return what lies in the files of those secrets that have one. Raises SecretFileRefused."""
    return {
        name: _read(environment, name, path)
        for name in names
        if (path := environment.get(name + SUFFIX))
    }


def _read(environment: Mapping[str, str | None], name: str, path: str) -> str:
    """Return the secret without the line break that an editor leaves at the end."""
    variable = name + SUFFIX
    if environment.get(name):
        raise SecretFileRefused(f"{name}: given twice; unset {name} or {variable}")
    try:
        secret = Path(path).read_text().rstrip("\r\n")
    except OSError as error:
        raise SecretFileRefused(f"{variable}: the file is not read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SecretFileRefused(f"{variable}: the file is no text") from error
    if not 0 < len(secret) <= LENGTH_MAX:
        raise SecretFileRefused(f"{variable}: the file is empty, or too long for a secret")
    return secret
