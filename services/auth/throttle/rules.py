"""How many attempts to prove oneself are looked at: some at once, then ever fewer; mails likewise.

After `free` attempts in a row without success, each further one must wait longer than the one
before, up to a quarter of an hour; what comes earlier is refused unseen, and does not count. Nobody
is locked out for ever, and who signs in from where he did before has attempts of his own.
"""

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["account", "known", "code", "mail"]

DELAY_MAX: Final = timedelta(minutes=15)
FORGOTTEN_AFTER: Final = timedelta(hours=1)  # Without an attempt, all is as at the beginning.
NEVER_BLOCKED: Final = datetime(1970, 1, 1, tzinfo=UTC)
NETWORKS_KNOWN_MAX: Final = 10  # Of one user; the last seen are kept.

_IPV6_NETWORK_BITS = 64  # What one subscriber has; IPv4 addresses are told apart each.


@dataclass(frozen=True, slots=True)
class Policy:
    """Attempts without delay, the first delay, and by how much each is longer than the last."""

    free: int
    first_delay_s: int = 10
    factor: int = 2


POLICIES: Final[dict[Kind, Policy]] = {
    "account": Policy(free=10),
    "known": Policy(free=10),
    "code": Policy(free=5, factor=4),  # Nine in the first quarter of an hour, of a million codes.
    "mail": Policy(free=5, first_delay_s=720, factor=1),  # Five, then five an hour.
}


@dataclass(frozen=True, slots=True)
class Tally:
    """Attempts in a row; none is looked at before `blocked_until`."""

    attempts: int
    attempted_at: datetime
    blocked_until: datetime


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether an attempt is looked at; what is noted; `begins`: with it the waiting begins."""

    allowed: bool
    tally: Tally
    begins: bool = False

    def wait_s(self, now: datetime) -> int:
        """Return the whole seconds until the next attempt is looked at, at least 1."""
        return max(-(-(self.tally.blocked_until - now) // timedelta(seconds=1)), 1)


def judge(past: Tally, now: datetime, policy: Policy) -> Judgement:
    """Judge one more attempt."""
    if past.blocked_until > now:
        return Judgement(allowed=False, tally=past)
    attempts = 1 if now - past.attempted_at >= FORGOTTEN_AFTER else past.attempts + 1
    delay = _delay(attempts, policy)
    # Without a delay nothing is blocked: of many at once, some come later than others that count.
    blocked_until = now + delay if delay else NEVER_BLOCKED
    return Judgement(
        allowed=True,
        tally=Tally(attempts, now, blocked_until),
        begins=attempts == policy.free,
    )


def network_of(address: str) -> str:
    """Return the network whose attempts count together."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, _IPV6_NETWORK_BITS), strict=False))
    return str(found)


def network_key(address: str, pepper: bytes) -> bytes:
    """Return what is kept of a network; without the pepper it says nothing."""
    return hmac.digest(pepper, network_of(address).encode(), hashlib.sha256)


def known_key(account: bytes, network: bytes) -> bytes:
    """Return under what the attempts on an account from a network that it knows are counted."""
    return hashlib.sha256(account + network).digest()


def mail_key(address: bytes, about: str) -> bytes:
    """Return under what the mails about one thing to one address are counted."""
    return hashlib.sha256(address + about.encode()).digest()


def _delay(attempts: int, policy: Policy) -> timedelta:
    if attempts < policy.free:
        return timedelta()
    over = min(attempts - policy.free, 32)  # No power of it need be larger than DELAY_MAX.
    delay_s = policy.first_delay_s * policy.factor**over
    return timedelta(seconds=min(delay_s, DELAY_MAX.total_seconds()))
