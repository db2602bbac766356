"""Which service may do what with the internal API of the others."""

import hashlib
import hmac
from collections.abc import Mapping

LIFETIME_S = 300

# By who calls and whom: a token is for one service, and says no more than is needed there.
SCOPES: Mapping[str, Mapping[str, frozenset[str]]] = {
    "gateway": {"auth": frozenset({"revocations:read", "api_keys:exchange", "denials:write"})},
    "inventory": {
        "auth": frozenset({"journal:read", "holds:read"}),
        "inventory": frozenset({"journal:read"}),
        "forecasting": frozenset({"journal:read"}),
        "reporting": frozenset({"journal:read"}),
    },
    "forecasting": {
        "auth": frozenset({"holds:read"}),
        "inventory": frozenset({"journal:read"}),
    },
    "reporting": {
        "auth": frozenset({"journal:read", "holds:read"}),
        "inventory": frozenset({"journal:read"}),
        "forecasting": frozenset({"journal:read", "forecast:read"}),
        "reporting": frozenset({"journal:read"}),
    },
}


def is_secret_of(known: str | None, given: str) -> bool:
    """Say whether the secret is the one known, in a time that tells nothing about either.

    `known` is None for a client that does not exist.
    """
    equal = hmac.compare_digest(_digest(known or ""), _digest(given))
    return equal and known is not None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
