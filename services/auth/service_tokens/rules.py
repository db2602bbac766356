"""Which service may do what with the internal API of the others."""

import hashlib
import hmac
from collections.abc import Mapping

LIFETIME_S = 300

SCOPES: Mapping[str, frozenset[str]] = {
    "gateway": frozenset({"revocations:read", "api_keys:exchange"}),
    "inventory": frozenset({"journal:read"}),
    "forecasting": frozenset({"journal:read", "inventory:read"}),
    "reporting": frozenset({"journal:read", "inventory:read", "forecast:read"}),
}


def is_secret_of(known: str | None, given: str) -> bool:
    """Say whether the secret is the one known, in a time that tells nothing about either.

    `known` is None for a client that does not exist.
    """
    equal = hmac.compare_digest(_digest(known or ""), _digest(given))
    return equal and known is not None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
