"""Who may do what in Valkey or Redis: a user for each program, with its own keys and channels.

`default`, who gives no password, may ask whether the server is there. `operator` may do all.
`monitor` reads figures, for Prometheus's exporter: no key, and no channel.
"""

import hashlib
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit, urlunsplit

OPERATOR: Final = "operator"
MONITOR: Final = "monitor"
_NOTHING: Final = "resetkeys resetchannels -@all"
_CONNECTS: Final = "+ping +select +client|setinfo"
_CACHES: Final = "+get +set"
_WAKES: Final = "+publish"  # Those who follow its journal.
_FOLLOWS: Final = "+subscribe +unsubscribe"
RULES: Final[Mapping[str, str]] = {
    "default": f"{_NOTHING} +ping",
    OPERATOR: "~* &* +@all",
    "auth": f"{_NOTHING} &journal:auth {_CONNECTS} {_WAKES}",
    "inventory": (
        f"{_NOTHING} &journal:auth &journal:inventory &journal:forecasting &journal:reporting "
        f"{_CONNECTS} {_WAKES} {_FOLLOWS}"
    ),
    "forecasting": (
        f"{_NOTHING} ~forecast:* &journal:inventory &journal:forecasting "
        f"{_CONNECTS} {_CACHES} {_WAKES} {_FOLLOWS}"
    ),
    "reporting": (
        f"{_NOTHING} ~dashboard:* &journal:auth &journal:inventory &journal:forecasting "
        f"&journal:reporting {_CONNECTS} {_CACHES} {_WAKES} {_FOLLOWS} +info +dbsize"
    ),
    # What the script of rates does is held against its user as well.
    "gateway": f"{_NOTHING} ~rate:* {_CONNECTS} +eval +evalsha +time +mget +set",
    # All that redis_exporter asks as docker-compose.yml starts it: were any of it refused, each
    # scrape would add to ACL LOG, and hide there what nobody should have tried.
    MONITOR: f"{_NOTHING} +ping +info +latency|latest +slowlog|len +slowlog|get",
}
USERS: Final = tuple(name for name in RULES if name != "default")  # Who have a password.


def password_name(user: str) -> str:
    """Return the variable that holds a user's password."""
    return "REDIS_PASSWORD" if user == OPERATOR else f"{user.upper()}_REDIS_PASSWORD"


def acl_file(secrets: Mapping[str, str]) -> str:
    """Return the lines of the server's `aclfile`, which holds digests of the passwords."""
    lines = [f"user default on nopass {RULES['default']}"]
    for user in USERS:
        digest = hashlib.sha256(secrets[password_name(user)].encode()).hexdigest()
        lines.append(f"user {user} on #{digest} {RULES[user]}")
    return "\n".join([*lines, ""])


def url_as(url: str, user: str, secrets: Mapping[str, str]) -> str:
    """Return the address with this user and his password."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{secrets[password_name(user)]}@{place}"))
