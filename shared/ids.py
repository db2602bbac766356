"""Identifiers: UUIDv7 (RFC 9562), so that new rows lie together in every index."""

import os
import secrets
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last_ms = 0
_counter = 0

_COUNTER_BITS = 12
_BITS_TOO_MANY = 2  # Of eight random bytes: the variant takes their place.
_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62


def new_id() -> UUID:
    """Return a fresh UUIDv7, later than every one this process returned before.

    Within a millisecond the 12 bits after the version count up (RFC 9562, 6.2 method 1); a clock
    that jumps back keeps the last millisecond, so ids stay in order and unique.
    """
    global _last_ms, _counter  # noqa: PLW0603 - the guard against clock jumps is per process.
    with _lock:
        now_ms = time.time_ns() // 1_000_000
        if now_ms > _last_ms:
            _last_ms, _counter = now_ms, secrets.randbits(_COUNTER_BITS - 1)
        else:
            _counter += 1
            if _counter >> _COUNTER_BITS:
                _last_ms, _counter = _last_ms + 1, 0
        high = (_last_ms << 80) | _VERSION_7 | (_counter << 64)
    return UUID(int=high | _VARIANT | int.from_bytes(os.urandom(8), "big") >> _BITS_TOO_MANY)
