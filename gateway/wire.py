"""HTTP/1.1 as bytes: what is the same for every answer, made once."""

from http import HTTPStatus
from typing import Final, TypeAlias

Headers: TypeAlias = list[tuple[bytes, bytes]]

BODILESS: Final = frozenset({204, 304})
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK: Final = b"0\r\n\r\n"

_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}


def _status_line(status: int) -> bytes:
    return f"HTTP/1.1 {status} {_PHRASES.get(status, '')}\r\n".encode()


STATUS_LINES: Final = {status: _status_line(status) for status in range(100, 600)}


def as_block(headers: Headers) -> bytes:
    """Return headers as they stand in an answer."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])


def as_chunk(part: bytes, *, last: bool) -> bytes:
    """Return a part of a body in the chunked coding (RFC 9112, 7.1), with the end if it is last."""
    end = LAST_CHUNK if last else b""
    return b"%x\r\n%b\r\n%b" % (len(part), part, end) if part else end
