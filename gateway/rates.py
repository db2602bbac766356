"""How often: the one table of rates, by name and by whom they count.

`30/minute` is thirty at once and one more every two seconds (GCRA). What a person or a machine does
all day has rates that nobody at work feels; they stop what runs wild. What guesses secrets or sends
mail has strict ones. RATE_LIMIT_SCALE multiplies all of them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Final, Self, TypeAlias
from uuid import UUID

from gateway.shares import Holder
from gateway.store import encode

_WINDOWS_S: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_RATE: Final = re.compile(r"([1-9][0-9]{0,8})/(second|minute|hour|day)")
_MICROSECONDS: Final = 1_000_000

# By the client's address (an IPv6 network of 64 bits counts as one), for who has not signed in.
PER_ADDRESS: Final[Mapping[str, str]] = {
    "sign-in": "30/minute",
    "register": "20/hour",
    "reset": "20/hour",  # Mail for who forgot a password.
    "refresh": "600/minute",
    "key": "300/minute",  # Machines' keys that auth has to be asked for.
    "page": "600/minute",  # Documents, keys, paths that do not exist, tokens that are refused.
}
# By user, each rate with an allowance of its own. RATE_LIMIT_DEFAULT is "default".
PER_USER: Final[Mapping[str, str]] = {
    "read": "12000/minute",
    "stock": "12000/minute",
    "write": "6000/minute",
    "proof": "20/minute",  # Passwords and codes of who has signed in.
    "mail": "20/hour",  # To an address that one names.
    "report": "600/minute",
    "heavy": "120/minute",
}
# Beside these, whatever is asked for.
ADDRESS: Final = "60000/minute"
USER: Final = "30000/minute"
TENANT: Final = "120000/minute"  # Unless the platform's administrator set another.


class Rate:
    """`count` requests in `window_s`, all of them at once if need be.

    `interval_us` is what one of them takes from the allowance, `capacity_us` the whole of it.
    `policy` is the field that tells of it, `arguments` the same for the script in Redis.
    """

    __slots__ = (
        "arguments",
        "capacity_us",
        "count",
        "encoded_name",
        "interval_us",
        "name",
        "policy",
        "window_s",
    )

    def __init__(self, name: str, count: int, window_s: int) -> None:
        self.name = name
        self.count = count
        self.window_s = window_s
        self.interval_us = max(window_s * _MICROSECONDS // count, 1)
        self.capacity_us = self.interval_us * count
        self.arguments = encode(b"%d" % self.interval_us, b"%d" % self.capacity_us)
        self.encoded_name = name.encode("ascii")
        self.policy = (
            b"ratelimit-policy",
            b'"%b";q=%d;w=%d' % (self.encoded_name, count, window_s),
        )

    @classmethod
    def parse(cls, name: str, text: str, scale: float = 1.0) -> Self:
        """Return the rate that a text such as `30/minute` means. Raises ValueError."""
        matched = _RATE.fullmatch(text)
        if matched is None:
            raise ValueError(f"{text!r} is no rate such as 30/minute")
        return cls(name, max(round(int(matched[1]) * scale), 1), _WINDOWS_S[matched[2]])


# A rate, and whose allowance it is: a network's, a user's, a tenant's.
Counted: TypeAlias = tuple[Rate, bytes]


@dataclass(slots=True)
class Verdict:
    """What the rates say of a request: `rate` is the one that refuses, else the one nearest to it.

    `left` is how many more may come now. `wait_us` tells a refused one when it may come again, and
    one let in when its rate's whole allowance is there again.
    """

    is_refused: bool
    rate: Rate
    left: int
    wait_us: int

    @property
    def wait_s(self) -> int:
        return ceil(self.wait_us / _MICROSECONDS)

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the fields of draft-ietf-httpapi-ratelimit-headers-11."""
        state = b'"%b";r=%d;t=%d' % (self.rate.encoded_name, self.left, self.wait_s)
        return [self.rate.policy, (b"ratelimit", state)]


class Rates:
    """The rates of this installation, and what each kind of request counts against."""

    def __init__(
        self, default: str, scale: float, own_rates: Callable[[], Mapping[UUID, int]] = dict
    ) -> None:
        """Take RATE_LIMIT_DEFAULT and RATE_LIMIT_SCALE. Raises ValueError.

        `own_rates` tells the requests a minute of the tenants that have a limit of their own.
        """
        self._scale = scale
        self._address = Rate.parse("address", ADDRESS, scale)
        self._user = Rate.parse("user", USER, scale)
        self._tenant = Rate.parse("tenant", TENANT, scale)
        self._per_address = {n: Rate.parse(n, text, scale) for n, text in PER_ADDRESS.items()}
        per_user = {**PER_USER, "default": default}
        self._per_user = {n: Rate.parse(n, text, scale) for n, text in per_user.items()}
        self._own_rates = own_rates
        self._rate_of = lru_cache(1024)(self._parse_own)

    @property
    def names(self) -> set[str]:
        """Return the names of all rates."""
        general = {rate.name for rate in (self._address, self._user, self._tenant)}
        return general | self._per_address.keys() | self._per_user.keys()

    def of_stranger(self, name: str, network: bytes) -> tuple[Counted, ...]:
        """Return what a request counts against whose user is not known."""
        return ((self._address, network), (self._per_address[name], network))

    def of_user(
        self, name: str, network: bytes, holder: Holder, tenant_id: UUID
    ) -> tuple[Counted, ...]:
        """Return what a signed-in user's request counts against."""
        user, tenant = holder
        own = self._own_rates().get(tenant_id)
        return (
            (self._address, network),
            (self._tenant if own is None else self._rate_of(own), tenant),
            (self._user, user),
            (self._per_user[name], user),
        )

    def _parse_own(self, per_minute: int) -> Rate:
        return Rate.parse("tenant", f"{per_minute}/minute", self._scale)
