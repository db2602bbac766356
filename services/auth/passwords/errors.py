"""Why a password is not accepted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Unavailable, Unprocessable
from shared.i18n import N_, NP_


@dataclass(eq=False)
class PasswordTooShort(Unprocessable):
    slug: ClassVar[str] = "password-too-short"
    title: ClassVar[str] = N_("Password too short")
    detail: ClassVar[tuple[str, str]] = NP_(
        "Give a password of at least {length_min} character.",
        "Give a password of at least {length_min} characters.",
    )
    counted: ClassVar[str] = "length_min"
    length_min: int


@dataclass(eq=False)
class PasswordTooLong(Unprocessable):
    slug: ClassVar[str] = "password-too-long"
    title: ClassVar[str] = N_("Password too long")
    detail: ClassVar[tuple[str, str]] = NP_(
        "Give a password of at most {length_max} character.",
        "Give a password of at most {length_max} characters.",
    )
    counted: ClassVar[str] = "length_max"
    length_max: int


@dataclass(eq=False)
class SignInBusy(Unavailable):
    """As many passwords as can be checked in three seconds are waiting. Try again in a moment."""

    slug: ClassVar[str] = "sign-in-busy"
    title: ClassVar[str] = N_("Too many sign-ins at once")
    detail: ClassVar[str] = N_("Very many are signing in just now. Try again in a few seconds.")
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "2"}


@dataclass(eq=False)
class PasswordCommon(Unprocessable):
    slug: ClassVar[str] = "password-common"
    title: ClassVar[str] = N_("Password easy to guess")
    detail: ClassVar[str] = N_(
        "This password is among those that are tried first. Choose another, "
        "for instance several unrelated words."
    )
