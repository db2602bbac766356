"""What auth journals of sign-ins and sessions."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AliasChoices, Field

from shared.contracts.auth.users import AboutUser
from shared.journal import Entry

RefusalReason = Literal[
    "unknown_account", "wrong_password", "deactivated", "locked", "unverified", "unapproved"
]
RevocationReason = Literal["logout", "reuse", "revoked", "password_changed", "provider_changed"]

_ID = AliasChoices("session_id", "id")  # `id` in the session's row.


class UserSignedIn(AboutUser):
    name: ClassVar[str] = "auth.user-signed-in.v1"
    session_id: UUID = Field(validation_alias=_ID)
    methods: tuple[str, ...]  # As in the token's `amr`.


class AllSessionsEnded(Entry):
    """An operator ended every session of every tenant, and every access token with it."""

    name: ClassVar[str] = "auth.all-sessions-ended.v1"
    subject_of: ClassVar[tuple[str, str]] = ("signing-key", "kid")
    kid: str  # Of the key that signs from then on.
    sessions: int


class SignInFailed(Entry):
    """`account` is the blind index of the address tried, in hex: equal for equal addresses."""

    name: ClassVar[str] = "auth.sign-in-failed.v1"
    account: str
    user_id: UUID | None
    reason: RefusalReason

    @property
    def subject(self) -> str:
        return f"user:{self.user_id}" if self.user_id else f"account:{self.account}"


class SignInThrottled(Entry):
    """An account used up its attempts in a row: each further one waits longer than the last."""

    name: ClassVar[str] = "auth.sign-in-throttled.v1"
    subject_of: ClassVar[tuple[str, str]] = ("account", "account")
    account: str


class CredentialStuffingSuspected(Entry):
    """So many attempts in a row came from one network that each further one has to wait.

    `network` is its keyed hash in hex: equal for equal networks. The entry is of the tenant that
    was tried last.
    """

    name: ClassVar[str] = "auth.credential-stuffing-suspected.v1"
    subject_of: ClassVar[tuple[str, str]] = ("network", "network")
    network: str


class AboutSession(Entry):
    subject_of: ClassVar[tuple[str, str]] = ("session", "session_id")
    session_id: UUID = Field(validation_alias=_ID)
    user_id: UUID


class SessionRefreshed(AboutSession):
    name: ClassVar[str] = "auth.session-refreshed.v1"
    counter: int  # How many times this session was refreshed.


class RefreshReused(AboutSession):
    """A spent refresh token came back: somebody else has a copy."""

    name: ClassVar[str] = "auth.refresh-reused.v1"
    presented: int
    counter: int


class SessionRevoked(AboutSession):
    name: ClassVar[str] = "auth.session-revoked.v1"
    reason: RevocationReason
