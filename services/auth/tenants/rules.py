"""What a tenant may be called and count in, and where it may lie."""

from functools import cache
from typing import Final, Literal, TypeAlias
from zoneinfo import available_timezones

from babel import Locale
from babel.numbers import is_currency

# Who registers gets in: once verified, once approved as well, or never.
Registration: TypeAlias = Literal["open", "invite", "closed"]

SLUG_PATTERN = r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"


def is_known_currency(code: str) -> bool:
    """Say whether this is a currency code of ISO 4217 that Babel can print."""
    return code.isupper() and is_currency(code)


def is_known_country(code: str) -> bool:
    """Say whether this is a country code of two letters of ISO 3166-1."""
    return code in _countries()


def is_known_time_zone(name: str) -> bool:
    """Say whether this is a time zone of IANA's database that is known here."""
    return name in _time_zones()


@cache
def _countries() -> frozenset[str]:
    territories = map(str, Locale("en").territories)
    return frozenset(c for c in territories if len(c) == _LETTERS and c.isalpha()) - _NO_COUNTRIES


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones() - _NO_TIME_ZONES)


_LETTERS: Final = 2
# Of CLDR's territories, those that ISO 3166-1 does not assign.
_NO_COUNTRIES: Final = frozenset(
    ("AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ")
)
_NO_TIME_ZONES: Final = frozenset(("Factory", "localtime"))
