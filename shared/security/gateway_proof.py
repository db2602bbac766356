"""The gateway's proof that a request came through it, and from which client.

A header of every request that the gateway forwards, under a key that it shares with the services:

    X-Gateway-Proof: <Unix milliseconds> <client's address> <BLAKE2b MAC in hex>

The MAC (BLAKE2b with a key, RFC 7693; a third of HMAC-SHA256's time, and each request pays it
twice) is over both, the request id, the method and the target as they stand in the request, a line
each. So a service port that somebody reaches directly serves nobody, whatever
token he has, and the address is the gateway's word and no client's.
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Final

from pydantic import SecretStr

from shared.errors import ClocksApart

HEADER: Final = b"x-gateway-proof"
SKEW_MAX_S: Final = 60  # Between the clocks of the gateway and a service, either way.

_MAC_LENGTH: Final = 64
_MILLISECONDS_LENGTH_MAX: Final = 15


class GatewayProof:
    """Makes the proof in the gateway and checks it in a service."""

    def __init__(
        self,
        key: SecretStr,
        previous: SecretStr | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take the key as hex digits, and earlier ones, comma-separated, that still count."""
        earlier = previous.get_secret_value().split(",") if previous is not None else []
        self._keys = [bytes.fromhex(each) for each in (key.get_secret_value(), *earlier) if each]
        self._clock = clock

    def make(self, client: bytes, request_id: bytes, method: bytes, target: bytes) -> bytes:
        """Return the header's value for one request of `client`, an address without spaces."""
        said = b"%d %b" % (self._clock() * 1000, client)
        return b"%b %b" % (said, _mac(self._keys[0], said, request_id, method, target))

    def check(self, proof: bytes, request_id: bytes, method: bytes, target: bytes) -> str | None:
        """Return the client's address; None if this is no proof for this request.

        Raises ClocksApart if it is one of another minute.
        """
        said, _, mac = proof.rpartition(b" ")
        sent_ms, _, client = said.partition(b" ")
        if len(mac) != _MAC_LENGTH or not any(
            hmac.compare_digest(mac, _mac(key, said, request_id, method, target))
            for key in self._keys
        ):
            return None
        if not sent_ms.isdigit() or len(sent_ms) > _MILLISECONDS_LENGTH_MAX:
            return None
        if abs(self._clock() - int(sent_ms) / 1000) > SKEW_MAX_S:
            raise ClocksApart
        return client.decode("latin-1")


def _mac(key: bytes, said: bytes, request_id: bytes, method: bytes, target: bytes) -> bytes:
    text = b"\n".join((said, request_id, method, target))
    return hashlib.blake2b(text, key=key, digest_size=_MAC_LENGTH // 2).hexdigest().encode()
