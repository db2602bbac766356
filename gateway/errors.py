"""What the gateway itself refuses. Texts are English sources; the French is in `locales/`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from shared.errors import (
    BadRequest,
    DeadlineExceeded,
    Forbidden,
    MethodNotAllowed,
    Problem,
    TooManyRequests,
    Unauthorized,
    Unavailable,
)
from shared.i18n import N_

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(eq=False)
class MalformedRequest(BadRequest):
    """The bytes are no HTTP request, or could be read in two ways."""

    slug = "malformed-request"
    title = N_("Malformed request")
    detail = N_("The request is not well-formed HTTP/1.1. Check the client or proxy that wrote it.")
    headers: ClassVar[Mapping[str, str]] = {"Connection": "close"}


@dataclass(eq=False)
class AmbiguousPath(BadRequest):
    """Two parties could read the path differently: dots, doubled slashes, encoded separators."""

    slug = "ambiguous-path"
    title = N_("Ambiguous path")
    detail = N_(
        "Write the path in one plain way: no empty or dot segments, "
        "no encoded slashes, valid UTF-8."
    )


@dataclass(eq=False)
class UnknownMethod(MethodNotAllowed):
    """A method that no part of the API has."""

    detail = N_("The API does not know this method. The header Allow names those that it knows.")
    headers: ClassVar[Mapping[str, str]] = {"Allow": ", ".join(sorted(METHODS))}


@dataclass(eq=False)
class InvalidAccessToken(Unauthorized):
    """A token was sent, but it is forged, altered, expired, revoked or of another kind."""

    slug = "invalid-token"
    title = N_("Access token not valid")
    detail = N_("The access token is invalid, expired or revoked. Refresh it, or sign in again.")
    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


@dataclass(eq=False)
class SchemeUnknown(InvalidAccessToken):
    """The header Authorization is not in the one form that there is: Bearer and a token."""

    slug = "authorization-scheme"
    title = N_("Authorization not understood")
    detail = N_(
        "The header Authorization must be Bearer, a space, then an access token or API key. "
        "Send it in this form."
    )


@dataclass(eq=False)
class EnrolmentUnfinished(InvalidAccessToken):
    """An enrolment token was sent where an access token is needed. Finish the sign-in first."""

    slug = "enrolment-unfinished"
    title = N_("Sign-in not finished")
    detail = N_(
        "An enrolment token only finishes a sign-in: choose a password at "
        "/api/auth/change-password or set up a second factor at /api/auth/2fa/setup. "
        "Then send the access token."
    )


@dataclass(eq=False)
class ApiKeyRefused(Unauthorized):
    """The API key is mistyped, unknown, revoked or over, or its owner is barred. Use another."""

    slug = "api-key-invalid"
    title = N_("API key not valid")
    detail = N_(
        "The API key is unknown, revoked or has expired. Check it, or create one at "
        "/api/auth/api-keys."
    )
    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


@dataclass(eq=False)
class OriginRefused(Forbidden):
    """A browser asked on behalf of a site that is not in ALLOWED_ORIGINS."""

    slug = "origin-refused"
    title = N_("Origin not allowed")
    detail = N_(
        "Pages of this origin may not call the API. Ask the operator to add it to ALLOWED_ORIGINS."
    )


@dataclass(eq=False)
class SocketVersion(Problem):
    """A WebSocket of another version than 13 (RFC 6455, 4.2.2)."""

    status = 426
    slug = "socket-version"
    title = N_("WebSocket version not supported")
    detail = N_("The API speaks version 13 of the WebSocket protocol. Use a client that does too.")
    headers: ClassVar[Mapping[str, str]] = {
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Connection": "close",
    }


@dataclass(eq=False)
class RateLimited(TooManyRequests):
    """Too many requests of one kind, by one user, tenant or address; `rate` names which rate."""

    rate: str


@dataclass(eq=False)
class RequestTimeout(Problem):
    """The client took too long to send its request."""

    status = 408
    slug = "request-timeout"
    title = N_("Request too slow")
    detail = N_("The request did not arrive in time. Send it again.")


@dataclass(eq=False)
class UriTooLong(Problem):
    status = 414
    slug = "uri-too-long"
    title = N_("Address too long")
    detail = N_("The path or the query of the address is too long. Ask for less at once.")


@dataclass(eq=False)
class HeadersTooLarge(Problem):
    status = 431
    slug = "headers-too-large"
    title = N_("Headers too large")
    detail = N_("The request has too many headers, or too large ones. Send fewer, or shorter ones.")
    headers: ClassVar[Mapping[str, str]] = {"Connection": "close"}


@dataclass(eq=False)
class BadGateway(Problem):
    """A service broke off, or answered with something that is not HTTP."""

    status = 502
    slug = "bad-gateway"
    title = N_("A service failed")
    detail = N_(
        "The service {service} gave no proper answer. It is not known whether the request "
        "took effect; repeat it with the same Idempotency-Key."
    )
    service: str


@dataclass(eq=False)
class ServiceAway(Unavailable):
    """A service cannot be reached; the request was not sent."""

    slug = "service-unavailable"
    title = N_("Service away")
    detail = N_("The service {service} is away. Nothing was changed. Try again in a moment.")
    service: str
    retry_after_s: int = 1

    def header_fields(self) -> Mapping[str, str]:
        return {"Retry-After": str(self.retry_after_s)}


@dataclass(eq=False)
class Overloaded(Unavailable):
    """More is asked of a service than it can do in time; this request was not sent."""

    slug = "overloaded"
    title = N_("Too busy")
    detail = N_(
        "The service {service} has more to do than it can just now. Nothing was changed. "
        "Try again in a moment."
    )
    service: str


@dataclass(eq=False)
class BodiesFull(Unavailable):
    """Too many bodies are arriving at once to keep another one."""

    slug = "bodies-full"
    title = N_("Too many uploads at once")
    detail = N_(
        "Too many large requests are arriving at once. Nothing was changed. Try again soon."
    )


@dataclass(eq=False)
class SignInAway(Unavailable):
    """The gateway cannot tell yet whether a token is valid, and so lets nobody in."""

    slug = "identity-unavailable"
    title = N_("Sign-in service away")
    detail = N_("Access tokens cannot be checked just now. Try again in a moment.")


@dataclass(eq=False)
class RevocationsStale(Unavailable):
    """It is not known who was signed out meanwhile: changes wait until it is. Try again."""

    slug = "revocations-stale"
    title = N_("Sign-outs not known")
    detail = N_(
        "The sign-in service does not tell just now which sessions have ended, so nothing can be "
        "changed. Nothing was changed. Try again in a moment."
    )
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "5"}


@dataclass(eq=False)
class ServiceTooSlow(DeadlineExceeded):
    """A service did not answer before the deadline."""

    detail = N_(
        "The service {service} did not answer in time. It is not known whether the request "
        "took effect; repeat it with the same Idempotency-Key."
    )
    service: str


@dataclass(eq=False)
class ReadOnly(MethodNotAllowed):
    """A page of the gateway's own, which can only be read."""

    detail = N_("This address can only be read. Use GET.")
    headers: ClassVar[Mapping[str, str]] = {"Allow": "GET, HEAD"}
