"""What a token says, as typed values: for people, for who has still to enrol, for services.

`read` turns a decoded JSON object into claims and refuses everything that is missing, of the
wrong type or not written the one canonical way; `payload` is its inverse.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, Protocol, Self, TypeAlias
from uuid import UUID

ISSUER: Final = "stock-auth"
CLOCK_SKEW_S: Final = 30  # How far ahead of ours the issuer's clock may run. Expiry gets no grace.

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_SCOPE = re.compile(r"[a-z][a-z0-9_]{0,31}:[a-z][a-z0-9_]{0,31}")
_LIST_LENGTH_MAX = 200


class InvalidToken(Exception):
    """The token proves nothing. The text is for logs; callers are told only that it is invalid."""


class Claims(Protocol):
    """What all kinds have: a `typ` of their own, an end, a way from and to JSON."""

    typ: ClassVar[str]

    @property
    def exp(self) -> int: ...

    @classmethod
    def read(cls, claims: Mapping[str, Json], now: float) -> Self: ...

    def payload(self) -> dict[str, Json]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UserClaims:
    """A person's access token. Times are Unix seconds; `locations` None means all of them."""

    typ: ClassVar[str] = "at+jwt"
    audience: ClassVar[str] = "stock-api"

    sub: UUID
    tid: UUID
    sid: UUID
    ver: int
    jti: UUID
    iat: int
    exp: int
    auth_time: int
    role: str
    scopes: frozenset[str]
    amr: tuple[str, ...]
    lang: Literal["en", "fr"] | None = None
    locations: frozenset[UUID] | None = None

    @classmethod
    def read(cls, claims: Mapping[str, Json], now: float) -> Self:
        """Return the claims, all checked. Raises InvalidToken."""
        iat, exp = _read_lifetime(claims, cls.audience, now)
        return cls(
            sub=_uuid(claims.get("sub")),
            tid=_uuid(claims.get("tid")),
            sid=_uuid(claims.get("sid")),
            ver=_integer(claims.get("ver")),
            jti=_uuid(claims.get("jti")),
            iat=iat,
            exp=exp,
            auth_time=_past(claims.get("auth_time"), now),
            role=_matching(_NAME, claims.get("role")),
            scopes=frozenset(_matching(_SCOPE, scope) for scope in _list(claims.get("scopes"))),
            amr=tuple(_matching(_NAME, method) for method in _list(claims.get("amr"))),
            lang=_language(claims),
            locations=_locations(claims),
        )

    def payload(self) -> dict[str, Json]:
        """Return the JSON object that `read` turns back into these claims."""
        locations = self.locations
        return {
            "iss": ISSUER,
            "aud": self.audience,
            "sub": str(self.sub),
            "tid": str(self.tid),
            "sid": str(self.sid),
            "ver": self.ver,
            "jti": str(self.jti),
            "iat": self.iat,
            "exp": self.exp,
            "auth_time": self.auth_time,
            "role": self.role,
            "scopes": [*sorted(self.scopes)],
            "amr": [*self.amr],
            "lang": self.lang,
            "locations": None if locations is None else [*sorted(map(str, locations))],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentClaims:
    """What a sign-in gives instead of tokens while something must be done first.

    `todo` names it: `password` (choose a new one), `factor` (set a second factor up). Nothing else
    can be done with it; `ver` ends it with the first thing done.
    """

    typ: ClassVar[str] = "enrol+jwt"
    audience: ClassVar[str] = "stock-enrolment"

    sub: UUID
    tid: UUID
    ver: int
    jti: UUID
    iat: int
    exp: int
    amr: tuple[str, ...]
    todo: tuple[str, ...]
    lang: Literal["en", "fr"] | None = None

    @classmethod
    def read(cls, claims: Mapping[str, Json], now: float) -> Self:
        """Return the claims, all checked. Raises InvalidToken."""
        iat, exp = _read_lifetime(claims, cls.audience, now)
        return cls(
            sub=_uuid(claims.get("sub")),
            tid=_uuid(claims.get("tid")),
            ver=_integer(claims.get("ver")),
            jti=_uuid(claims.get("jti")),
            iat=iat,
            exp=exp,
            amr=tuple(_matching(_NAME, method) for method in _list(claims.get("amr"))),
            todo=tuple(_matching(_NAME, step) for step in _list(claims.get("todo"))),
            lang=_language(claims),
        )

    def payload(self) -> dict[str, Json]:
        """Return the JSON object that `read` turns back into these claims."""
        return {
            "iss": ISSUER,
            "aud": self.audience,
            "sub": str(self.sub),
            "tid": str(self.tid),
            "ver": self.ver,
            "jti": str(self.jti),
            "iat": self.iat,
            "exp": self.exp,
            "amr": [*self.amr],
            "todo": [*self.todo],
            "lang": self.lang,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceClaims:
    """A service's token for calls to one other, `target`; `sub` is the name of who calls."""

    typ: ClassVar[str] = "st+jwt"
    audience: ClassVar[str] = "stock-internal"

    sub: str
    target: str
    jti: UUID
    iat: int
    exp: int
    scopes: frozenset[str]

    @classmethod
    def read(cls, claims: Mapping[str, Json], now: float) -> Self:
        """Return the claims, all checked. Raises InvalidToken."""
        target = _target(claims.get("aud"), cls.audience)
        iat, exp = _read_lifetime(claims, f"{cls.audience}/{target}", now)
        return cls(
            sub=_matching(_NAME, claims.get("sub")),
            target=target,
            jti=_uuid(claims.get("jti")),
            iat=iat,
            exp=exp,
            scopes=frozenset(_matching(_SCOPE, scope) for scope in _list(claims.get("scopes"))),
        )

    def payload(self) -> dict[str, Json]:
        """Return the JSON object that `read` turns back into these claims."""
        return {
            "iss": ISSUER,
            "aud": f"{self.audience}/{self.target}",
            "sub": self.sub,
            "jti": str(self.jti),
            "iat": self.iat,
            "exp": self.exp,
            "scopes": [*sorted(self.scopes)],
        }


def _target(audience: Json, internal: str) -> str:
    """Return the service that a token for the internal API is for."""
    named, _, target = audience.partition("/") if isinstance(audience, str) else ("", "", "")
    if named != internal:
        raise InvalidToken("aud is another")
    return _matching(_NAME, target)


def _read_lifetime(claims: Mapping[str, Json], audience: str, now: float) -> tuple[int, int]:
    """Return (iat, exp) of a token that is ours, meant for `audience`, and current."""
    if claims.get("iss") != ISSUER:
        raise InvalidToken("iss is not ours")
    if claims.get("aud") != audience:
        raise InvalidToken("aud is another")
    if "nbf" in claims:
        _past(claims["nbf"], now)
    exp = _integer(claims.get("exp"))
    if exp <= now:
        raise InvalidToken("expired")
    return _past(claims.get("iat"), now), exp


def _integer(value: Json) -> int:
    if type(value) is not int or not 0 <= value < 1 << 53:  # `type`, since a bool is an int too.
        raise InvalidToken("a number claim is not a whole number")
    return value


def _past(value: Json, now: float) -> int:
    moment = _integer(value)
    if moment > now + CLOCK_SKEW_S:
        raise InvalidToken("from the future")
    return moment


def _uuid(value: Json) -> UUID:
    try:
        parsed = UUID(value) if isinstance(value, str) else None
    except ValueError:
        parsed = None
    if parsed is None or str(parsed) != value:  # UUID() also takes braces, URNs and capitals.
        raise InvalidToken("an id claim is not a UUID")
    return parsed


def _matching(pattern: re.Pattern[str], value: Json) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise InvalidToken("a text claim is malformed")
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list) or len(value) > _LIST_LENGTH_MAX:
        raise InvalidToken("a list claim is malformed")
    return value


def _language(claims: Mapping[str, Json]) -> Literal["en", "fr"] | None:
    match claims.get("lang", "missing"):
        case None:
            return None
        case "en":
            return "en"
        case "fr":
            return "fr"
        case _:
            raise InvalidToken("lang is unknown")


def _locations(claims: Mapping[str, Json]) -> frozenset[UUID] | None:
    """Return the locations a person is limited to. A missing claim must not mean "all"."""
    value = claims.get("locations", "missing")
    return None if value is None else frozenset(map(_uuid, _list(value)))
