"""Compressing answers: zstd, brotli or gzip, whichever the client likes best (RFC 9110, 12.5.3).

Text of some length is compressed, whatever is short, binary or encoded already is not. What a
compressed answer holds beside a secret could be guessed from its length (BREACH), so routes with
secrets are left out. Large parts are compressed in a thread, streams part by part.
"""

import re
import zlib
from collections.abc import Callable
from typing import Final, Protocol

import brotli
import zstandard

from gateway.wire import Headers

LENGTH_MIN: Final = 1024  # Bytes; what is shorter leaves in one packet anyway.
ON_LOOP_MAX: Final = 65_536  # A part up to this size takes well below a millisecond.

_ZSTD_LEVEL: Final = 3
_BROTLI_QUALITY: Final = 4
_GZIP_LEVEL: Final = 5
_GZIP_WINDOW: Final = 31  # zlib's way to ask for gzip's form, with the largest window.
_WHOLE: Final = 200

_TEXT: Final = re.compile(
    rb"text/(?!event-stream)|application/(?:[a-z.-]+\+)?(?:json|xml|javascript|yaml)|image/svg\+xml",
    re.IGNORECASE,
)
_QUALITY: Final = re.compile(rb"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE)
VARY: Final = (b"vary", b"Accept-Encoding")


class _Compressor(Protocol):
    """zlib's interface, to which the other two are brought."""

    def compress(self, part: bytes) -> bytes: ...
    def flush_part(self) -> bytes: ...
    def finish(self) -> bytes: ...


class _Zstd:
    def __init__(self) -> None:
        self._inner = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compressobj()

    def compress(self, part: bytes) -> bytes:
        return self._inner.compress(part)

    def flush_part(self) -> bytes:
        return self._inner.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    def finish(self) -> bytes:
        return self._inner.flush()


class _Brotli:
    def __init__(self) -> None:
        self._inner = brotli.Compressor(quality=_BROTLI_QUALITY)

    def compress(self, part: bytes) -> bytes:
        return bytes(self._inner.process(part))

    def flush_part(self) -> bytes:
        return bytes(self._inner.flush())

    def finish(self) -> bytes:
        return bytes(self._inner.finish())


class _Gzip:
    def __init__(self) -> None:
        self._inner = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)

    def compress(self, part: bytes) -> bytes:
        return self._inner.compress(part)

    def flush_part(self) -> bytes:
        return self._inner.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        return self._inner.flush()


# In the order in which we choose between codings that the client likes equally.
_CODINGS: Final[dict[bytes, Callable[[], _Compressor]]] = {
    b"zstd": _Zstd,
    b"br": _Brotli,
    b"gzip": _Gzip,
}


class Encoder:
    """Compresses the parts of one answer."""

    def __init__(self, coding: bytes) -> None:
        self._inner = _CODINGS[coding]()

    def encode(self, part: bytes, *, more: bool) -> bytes:
        """Return what to send for a part of the answer, of which there is `more` or no more.

        For a part longer than ON_LOOP_MAX, to be called in a thread.
        """
        encoded = self._inner.compress(part)
        return encoded + (self._inner.flush_part() if more else self._inner.finish())


def find_encoder(accepted: bytes | None, status: int, headers: Headers) -> Encoder | None:
    """Return what compresses an answer, if it is worth it, and make its headers say so.

    The answer's length is known to whoever frames it: `content-length` is taken out, an ETag made
    weak, since it no longer stands for these very bytes (RFC 9110, 8.8.1).
    """
    fields = dict(headers)
    if (
        status != _WHOLE
        or not _TEXT.match(fields.get(b"content-type", b""))
        or int(fields.get(b"content-length", LENGTH_MIN)) < LENGTH_MIN
        or b"content-encoding" in fields
        or b"no-transform" in fields.get(b"cache-control", b"").lower()
    ):
        return None
    headers.append(VARY)
    coding = choose(accepted)
    if coding is None:
        return None
    headers[:] = [_encoded(*each) for each in headers if each[0] != b"content-length"]
    headers.append((b"content-encoding", coding))
    return Encoder(coding)


def choose(accepted: bytes | None) -> bytes | None:
    """Return the coding that an Accept-Encoding likes best; None for the answer as it is."""
    if not accepted:
        return None
    qualities = {}
    for item in accepted.lower().split(b","):
        name, _, parameters = item.partition(b";")
        stated = _QUALITY.fullmatch(parameters.strip())
        if parameters and stated is None:
            continue  # Not to be understood: as if it were not there.
        qualities[name.strip()] = float(stated[1]) if stated else 1.0
    others = qualities.get(b"*", 0.0)
    best = max(_CODINGS, key=lambda coding: qualities.get(coding, others))
    quality = qualities.get(best, others)
    return best if quality > 0 and quality >= qualities.get(b"identity", 0.0) else None


def _encoded(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    weakened = name == b"etag" and not value.startswith(b"W/")
    return (name, b"W/" + value) if weakened else (name, value)
