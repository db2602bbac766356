"""What a tenant may be called and count in."""

from typing import Literal, TypeAlias

from babel.numbers import is_currency

# Who registers gets in: once verified, once approved as well, or never.
Registration: TypeAlias = Literal["open", "invite", "closed"]

SLUG_PATTERN = r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"


def is_known_currency(code: str) -> bool:
    """Say whether this is a currency code of ISO 4217 that Babel can print."""
    return code.isupper() and is_currency(code)
