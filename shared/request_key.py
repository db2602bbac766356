"""An Idempotency-Key, for what is answered in the transaction of a group."""

from typing import NamedTuple


class RequestKey(NamedTuple):
    """An Idempotency-Key, and the keyed fingerprint of the one request that it stands for."""

    text: str
    fingerprint: bytes
