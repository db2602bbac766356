"""Which headers pass, in which direction, and which the gateway sets itself.

Nothing of a request is forwarded as it came: framing, hop-by-hop headers and whatever could pass
for the gateway's own word about the caller are dropped, and the rest is written anew.
"""

import re
from dataclasses import dataclass, field
from random import Random, SystemRandom
from typing import Final

from gateway.errors import HeadersTooLarge, MalformedRequest
from gateway.wire import Headers

HEADERS_MAX: Final = 100
HEAD_LENGTH_MAX: Final = 32_768  # All names and values of a request together, in bytes.

# Meant for one connection (RFC 9110, 7.6.1), or framing, which every connection has its own.
HOP_BY_HOP: Final = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization",
        b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
        b"content-length", b"expect", b"http2-settings",
    }
)  # fmt: skip

# Other parties' ways of saying who calls from where, beside everything that starts with "x-".
_FORGEABLE: Final = frozenset(
    {
        b"host", b"forwarded", b"via", b"client-ip", b"true-client-ip", b"cf-connecting-ip",
        b"remote-user", b"remote-addr", b"early-data", b"cookie", b"traceparent",
    }
)  # fmt: skip

# The usual ones, known to pass, so that only unusual names are looked at closely.
_USUAL: Final = frozenset(
    {
        b"accept", b"accept-encoding", b"accept-language", b"authorization", b"cache-control",
        b"content-type", b"idempotency-key", b"if-match", b"if-none-match", b"origin", b"pragma",
        b"referer", b"user-agent", b"range",
    }
)  # fmt: skip

# What the gateway reads itself; a second one of these would leave open which of them counts.
_READ: Final = frozenset(
    {
        b"host", b"authorization", b"content-length", b"transfer-encoding", b"x-request-id",
        b"traceparent", b"accept-language", b"accept-encoding", b"origin", b"connection",
        b"access-control-request-method", b"idempotency-key",
    }
)  # fmt: skip
_SINGLE: Final = frozenset(
    {b"host", b"authorization", b"content-length", b"transfer-encoding", b"origin"}
)

# Ids are names, not secrets: one seed from the system does, and saves a system call each.
_random: Final = Random(SystemRandom().getrandbits(256))  # noqa: S311  See above.

_HOST: Final = re.compile(rb"[A-Za-z0-9.:\[\]_-]{1,255}")
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._~-]{1,64}")
_TRACEPARENT: Final = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

# Of a service's answer: ours alone to say, or of no concern to the client.
_OURS: Final = frozenset(
    {
        b"server", b"date", b"x-powered-by", b"x-request-id", b"traceparent", b"tracestate",
        b"strict-transport-security", b"x-content-type-options", b"content-security-policy",
        b"referrer-policy", b"x-frame-options", b"alt-svc", b"set-cookie", b"forwarded", b"via",
        b"access-control-allow-origin", b"access-control-allow-credentials",
        b"access-control-allow-headers", b"access-control-allow-methods",
        b"access-control-expose-headers", b"access-control-max-age",
    }
)  # fmt: skip
_NOT_ANSWERED: Final = (HOP_BY_HOP | _OURS) - {b"content-length"}

NO_STORE: Final = (b"cache-control", b"no-store")
SECURITY: Final[Headers] = [
    (b"strict-transport-security", b"max-age=63072000; includeSubDomains"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
]


@dataclass(slots=True, eq=False)
class RequestHead:
    """A request's headers, sorted out: `passing` is framed for the service, `read` is for us."""

    passing: list[bytes] = field(default_factory=list)
    read: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def has_body(self) -> bool:
        return self.content_length > 0 or b"transfer-encoding" in self.read

    @property
    def content_length(self) -> int:
        """The declared length in bytes; 0 where none is declared."""
        return int(self.read.get(b"content-length", b"0"))

    def authorize(self, token: str) -> None:
        """Let this access token pass in place of what came."""
        value = b"Bearer " + token.encode()
        self.read[b"authorization"] = value
        place = 4 * self.passing[::4].index(b"authorization")  # Of name, colon, value, line end.
        self.passing[place + 2] = value

    def text(self, name: bytes) -> str | None:
        """Return a header that we read, as text."""
        value = self.read.get(name)
        return None if value is None else value.decode("latin-1")


def sort_out(headers: Headers) -> RequestHead:
    """Return what passes and what we read. Raises MalformedRequest, HeadersTooLarge.

    Names are lower-case, as ASGI has them.
    """
    head = RequestHead()
    passing, read = head.passing, head.read
    size = 0
    for name, value in headers:
        size += len(name) + len(value)
        if name in _READ:
            if name in read and name in _SINGLE:
                raise MalformedRequest
            read[name] = value
        if name in _USUAL or may_pass(name):
            passing += (name, b": ", value, b"\r\n")
    if read.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
        raise MalformedRequest  # We would forward a coding that we neither undo nor announce.
    if len(headers) > HEADERS_MAX or size > HEAD_LENGTH_MAX:
        raise HeadersTooLarge
    if read.get(b"connection", b"keep-alive").lower() not in {b"keep-alive", b"close"}:
        _drop_named(head)
    return head


def check_host(head: RequestHead, version: str) -> None:
    """Raise MalformedRequest if the host is no host, or missing (HTTP/1.0 may leave it out).

    HTTP/1.0 knows no chunked coding: who sends one there may be misread by others on the way.
    """
    host = head.read.get(b"host", b"none" if version == "1.0" else b"")
    if not _HOST.fullmatch(host) or (version == "1.0" and b"transfer-encoding" in head.read):
        raise MalformedRequest


def may_pass(name: bytes) -> bool:
    """Say whether a request header of this name goes on to a service.

    A name with an underscore may turn into one with a hyphen behind us; nothing public needs `x-`.
    """
    return not (name in HOP_BY_HOP or name in _FORGEABLE or name.startswith(b"x-") or b"_" in name)


def request_ids(head: RequestHead) -> tuple[bytes, bytes]:
    """Return (request id, traceparent): the caller's own where well-formed, else new ones.

    A new request id is the trace id, so that one of them finds the other.
    """
    request_id = head.read.get(b"x-request-id")
    trace = head.read.get(b"traceparent")
    if trace is None or not _TRACEPARENT.fullmatch(trace):
        fresh = b"%048x" % _random.getrandbits(192)
        trace = b"00-%b-%b-01" % (fresh[:32], fresh[32:])
    if request_id is None or not _REQUEST_ID.fullmatch(request_id):
        request_id = trace[3:35]
    return request_id, trace


def answer_headers(headers: Headers, *, has_body: bool, is_cacheable: bool) -> Headers:
    """Return those of a service's headers that the client gets.

    `has_body` False leaves out the length too, as 204 and 304 must. Nobody may keep an answer, but
    where the route `is_cacheable` and the service says for how long.
    """
    named: frozenset[bytes] = frozenset()
    stated = False
    kept = []
    for name, value in headers:
        if name == b"connection" and value.lower() not in {b"keep-alive", b"close"}:
            named |= _tokens(value)
        if name in _NOT_ANSWERED or (name == b"content-length" and not has_body):
            continue
        if name == b"cache-control" and not is_cacheable:
            if b"no-transform" in value.lower():
                kept.append((name, b"no-store, no-transform"))
                stated = True
            continue
        stated = stated or name == b"cache-control"
        kept.append((name, value))
    if named:
        kept = [(name, value) for name, value in kept if name not in named]
    if not stated:
        kept.append(NO_STORE)
    return kept


def _drop_named(head: RequestHead) -> None:
    """Drop the headers that `Connection` names; our own are written later and stay."""
    named = _tokens(head.read[b"connection"]) - {b"authorization"}
    fields = zip(*[iter(head.passing)] * 4, strict=True)
    head.passing[:] = [part for parts in fields if parts[0] not in named for part in parts]


def _tokens(value: bytes) -> frozenset[bytes]:
    return frozenset(token.strip().lower() for token in value.split(b","))
