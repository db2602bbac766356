"""Problems: what a client did that cannot be done, as data (RFC 9457).

A Problem names its status, its stable slug and its English texts once; the translated texts come
from the catalogues, the instance's fields become extension members and fill in the texts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

from shared.i18n import N_, NP_, translate, translate_plural
from shared.money import plain

PROBLEM_MEDIA_TYPE = "application/problem+json"
Text = str | tuple[str, str]  # One form, or both of a text that counts something.


@dataclass(eq=False)
class Problem(Exception):
    """Base of everything that a client is told went wrong."""

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = N_("Something went wrong")
    detail: ClassVar[Text] = N_(
        "The request could not be completed. Nothing was changed. Try again; if that fails "
        "too, give the operator the request_id."
    )
    counted: ClassVar[str] = ""  # The field that decides between the forms.
    headers: ClassVar[Mapping[str, str]] = {}

    @property
    def code(self) -> str:
        return self.slug.replace("-", "_")

    def header_fields(self) -> Mapping[str, str]:
        """Return the headers that go with the answer."""
        return self.headers

    def errors_in(self, language: str) -> list[dict[str, str]] | None:  # noqa: ARG002 - by others.
        """Return the places that are wrong, as `{path, code, message}`; None if none is named."""
        return None

    def members(self) -> dict[str, Any]:
        """Return the extension members: the instance's fields, JSON-ready."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self)}

    def detail_in(self, language: str) -> str:
        """Return the detail in a language, the instance's fields filled in."""
        values: dict[str, Any] = {f.name: _worded(getattr(self, f.name)) for f in fields(self)}
        if isinstance(self.detail, str):
            return translate(self.detail, language, **values)
        return translate_plural(*self.detail, getattr(self, self.counted), language, **values)


@dataclass(eq=False)
class BadRequest(Problem):
    status = 400
    slug = "bad-request"
    title = N_("Bad request")
    detail: ClassVar[Text] = N_(
        "The request cannot be understood. Compare it with the documentation at /docs."
    )


@dataclass(eq=False)
class Unauthorized(Problem):
    status = 401
    slug = "unauthorized"
    title = N_("Sign-in needed")
    detail: ClassVar[Text] = N_(
        "The request carries no valid access token or API key. Sign in, and send the token, or the "
        "key, as Authorization: Bearer; no other header counts."
    )
    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "Bearer"}


@dataclass(eq=False)
class Forbidden(Problem):
    status = 403
    slug = "forbidden"
    title = N_("Not allowed")
    detail: ClassVar[Text] = N_(
        "Your role does not allow this. Ask an administrator for one that does."
    )


@dataclass(eq=False)
class MissingScope(Forbidden):
    """The token is valid but lacks a scope. Ask an administrator for a role that has it."""

    slug = "missing-scope"
    title = N_("Permission missing")
    detail: ClassVar[Text] = N_(
        "This needs the permission {scope}, which your role or your API key lacks. Ask an "
        "administrator for a role that has it, or create a key with it."
    )
    scope: str


@dataclass(eq=False)
class GatewayOnly(Forbidden):
    """A service was asked directly. Send the request to the gateway."""

    slug = "gateway-only"
    title = N_("Through the gateway only")
    detail = N_("A service answers the gateway alone. Send your request to the gateway.")


@dataclass(eq=False)
class NotWithApiKey(Forbidden):
    """A key acts for its owner at work, never on the owner's account. Sign in as a person."""

    slug: ClassVar[str] = "not-with-api-key"
    title: ClassVar[str] = N_("Not with an API key")
    detail: ClassVar[str] = N_("An API key cannot do this. Sign in with your password.")


@dataclass(eq=False)
class LocationNotAllowed(Forbidden):
    """The caller is limited to some locations, and this concerns all. Ask somebody who is not."""

    slug = "location-not-allowed"
    title = N_("Limited to some locations")
    detail: ClassVar[Text] = N_(
        "You may work with some locations alone, and this concerns all of them. "
        "Ask somebody without that limit, or an administrator to lift it."
    )


@dataclass(eq=False)
class StepUpRequired(Forbidden):
    """The caller may do this, but proved who it is too long ago. Prove it again, then repeat."""

    slug = "step-up-required"
    title = N_("Confirm your identity")
    detail: ClassVar[Text] = N_(
        "This needs a fresh proof of who you are. "
        "Send your password and code to /api/auth/step-up, then repeat with the new access token."
    )


@dataclass(eq=False)
class NotFound(Problem):
    status = 404
    slug = "not-found"
    title = N_("Not found")
    detail: ClassVar[Text] = N_(
        "There is nothing at this address. All addresses are listed at /docs; an id there is "
        "a UUID."
    )


@dataclass(eq=False)
class MethodNotAllowed(Problem):
    status = 405
    slug = "method-not-allowed"
    title = N_("Method not allowed")
    detail: ClassVar[Text] = N_(
        "This address does not answer to this method. The header Allow names those that it "
        "answers to."
    )


@dataclass(eq=False)
class Conflict(Problem):
    status = 409
    slug = "conflict"
    title = N_("Conflict")
    detail: ClassVar[Text] = N_(
        "The request does not fit the present state. Read it again, then decide."
    )


@dataclass(eq=False)
class JournalArchived(Problem):
    """Entries of a journal are asked for that went into archives by retention."""

    status = 410
    slug = "journal-archived"
    title = N_("Archived")
    detail: ClassVar[Text] = N_(
        "These entries of the journal are in archives. Read them there; what is kept can be "
        "followed from the first entry after them."
    )


@dataclass(eq=False)
class PreconditionFailed(Problem):
    status = 412
    slug = "precondition-failed"
    title = N_("Changed meanwhile")
    detail: ClassVar[Text] = N_(
        "Somebody changed this since you read it. Read it again, then repeat your change."
    )


@dataclass(eq=False)
class ContentTooLarge(Problem):
    status = 413
    slug = "content-too-large"
    title = N_("Request too large")
    detail: ClassVar[Text] = NP_(
        "The request body is larger than {limit_bytes} byte. Send less at once.",
        "The request body is larger than {limit_bytes} bytes. Send less at once.",
    )
    counted: ClassVar[str] = "limit_bytes"
    limit_bytes: int


@dataclass(eq=False)
class UnsupportedMediaType(Problem):
    status = 415
    slug = "unsupported-media-type"
    title = N_("Unsupported media type")
    detail: ClassVar[Text] = N_("Send the body as application/json.")


@dataclass(eq=False)
class Unprocessable(Problem):
    status = 422
    slug = "unprocessable"
    title = N_("Cannot be processed")
    detail: ClassVar[Text] = N_(
        "The request is well formed but cannot be processed. Compare it with the "
        "documentation at /docs."
    )


@dataclass(eq=False)
class ValidationFailed(Unprocessable):
    """The body or a parameter breaks the documented rules; `errors` names each place."""

    slug = "validation-failed"
    title = N_("Invalid input")
    detail: ClassVar[Text] = N_("Some values are not valid. Correct those that errors names.")


@dataclass(eq=False)
class ValueOutOfRange(Unprocessable):
    """A value passed every check, and the database cannot hold it or what follows from it."""

    slug = "value-out-of-range"
    title = N_("Value out of range")
    detail: ClassVar[Text] = N_(
        "A value, or what follows from it, is beyond what can be stored. Nothing changed. "
        "Give a smaller one."
    )


@dataclass(eq=False)
class IdempotencyKeyInvalid(BadRequest):
    slug = "idempotency-key-invalid"
    title = N_("Invalid Idempotency-Key")
    detail: ClassVar[Text] = N_("Give one key of 1 to 255 visible ASCII characters.")


@dataclass(eq=False)
class IdempotencyKeyReused(Unprocessable):
    """The key was used for another request."""

    slug = "idempotency-key-reused"
    title = N_("Idempotency-Key already used")
    detail: ClassVar[Text] = N_(
        "This key belongs to an earlier, different request. Take a new key for a new request."
    )


@dataclass(eq=False)
class IdempotencyInProgress(Conflict):
    """The first request with this key is still running."""

    slug = "idempotency-in-progress"
    title = N_("Still running")
    detail: ClassVar[Text] = N_("The first request with this key is still running. Ask again soon.")


@dataclass(eq=False)
class IdempotencyAnswerLost(Conflict):
    """The request was done, but its answer was altered, or its key is gone."""

    slug = "idempotency-answer-lost"
    title = N_("Answer lost")
    detail: ClassVar[Text] = N_(
        "This request was done, but its answer cannot be read any more. Read what it made instead."
    )


@dataclass(eq=False)
class IdempotencyAnswerWithheld(Forbidden):
    """The request was done, but its answer may show what the caller may no longer see."""

    slug = "idempotency-answer-withheld"
    title = N_("Answer withheld")
    detail: ClassVar[Text] = N_(
        "This request was done, but you have fewer rights than then. Read what it made instead."
    )


@dataclass(eq=False)
class TooManyRequests(Problem):
    status = 429
    slug = "too-many-requests"
    title = N_("Too many requests")
    detail: ClassVar[Text] = NP_(
        "Wait {retry_after_s} second, then try again.",
        "Wait {retry_after_s} seconds, then try again.",
    )
    counted: ClassVar[str] = "retry_after_s"
    retry_after_s: int

    def header_fields(self) -> Mapping[str, str]:
        return {**self.headers, "Retry-After": str(self.retry_after_s)}


@dataclass(eq=False)
class Unavailable(Problem):
    status = 503
    slug = "unavailable"
    title = N_("Temporarily unavailable")
    detail: ClassVar[Text] = N_(
        "A part of the system is away. Nothing was changed. Try again in a moment."
    )
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "1"}


@dataclass(eq=False)
class ClocksApart(Unavailable):
    """The gateway's word of a request is older, or newer, than a service believes."""

    slug = "clocks-apart"
    title = N_("The clocks differ")
    detail = N_(
        "The clocks of the gateway and of the service differ by more than a minute, so "
        "that nothing is served. Nothing was changed. Tell your operator to set the clocks right."
    )
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "60"}


@dataclass(eq=False)
class StillLocked(Unavailable):
    """What the request changes was in the hands of others as long as it could wait."""

    slug = "still-locked"
    title = N_("Still in use")
    detail: ClassVar[Text] = N_(
        "Others were changing the same all the time. Wait a few seconds, then try again with the "
        "same Idempotency-Key."
    )
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "5"}


@dataclass(eq=False)
class DeadlineExceeded(Unavailable):
    """The request did not finish in time; a write may be retried with its Idempotency-Key."""

    status = 504
    slug = "deadline-exceeded"
    title = N_("Took too long")
    detail: ClassVar[Text] = N_(
        "The request did not finish in time. Retry with the same Idempotency-Key."
    )


def problem_body(
    problem: Problem, language: str, request_id: str, errors: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """Return the RFC 9457 document of a problem, in the language asked for."""
    body: dict[str, Any] = {
        "type": f"/problems/{problem.slug}",
        "title": translate(problem.title, language),
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail_in(language),
        "request_id": request_id,
    }
    named = problem.errors_in(language) if errors is None else errors
    if named is not None:
        body["errors"] = named
    return body | problem.members()


def _plain(value: object) -> object:
    """Return decimals as plain strings (1E+1 is 10) and ids as text."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):  # As it is written in requests.
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if value is None or isinstance(value, str | int | float | list | dict):
        return value
    return str(value)


def _worded(value: object) -> object:
    """Return texts with commas between them; anything else as it is, for the language to write."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return value
