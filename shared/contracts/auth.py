"""What auth promises to write in its journal. No entry holds an address, a name or a secret."""

from typing import ClassVar, Literal
from uuid import UUID

from shared.journal import Entry

DEFAULT_TENANT_ID = UUID("00000000-0000-7000-8000-000000000001")
DEFAULT_TENANT_SLUG = "default"

Origin = Literal["installation", "registration", "administrator", "tenant"]
RefusalReason = Literal["unknown_account", "wrong_password", "locked"]
RevocationReason = Literal["logout", "reuse"]
EndReason = Literal["logout_all", "lock"]


class TenantCreated(Entry):
    """The first entry of a tenant's own journal."""

    name: ClassVar[str] = "auth.tenant-created.v1"
    tenant_id: UUID
    slug: str
    title: str  # The tenant's name.
    language: str
    currency: str  # ISO 4217.

    @property
    def subject(self) -> str:
        return f"tenant:{self.tenant_id}"


class TenantProvisioned(Entry):
    """A platform administrator made another tenant; in the journal of the default tenant."""

    name: ClassVar[str] = "auth.tenant-provisioned.v1"
    tenant_id: UUID
    slug: str

    @property
    def subject(self) -> str:
        return f"tenant:{self.tenant_id}"


class _AboutUser(Entry):
    user_id: UUID

    @property
    def subject(self) -> str:
        return f"user:{self.user_id}"


class UserRegistered(_AboutUser):
    name: ClassVar[str] = "auth.user-registered.v1"
    role: str
    origin: Origin


class UserProfileChanged(_AboutUser):
    """`before` and `after` are JSON objects of the changed fields, sealed for this column."""

    name: ClassVar[str] = "auth.user-profile-changed.v1"
    changed: tuple[str, ...]
    before: str
    after: str


class UserRoleChanged(_AboutUser):
    name: ClassVar[str] = "auth.user-role-changed.v1"
    before: str
    after: str


class UserLocked(_AboutUser):
    name: ClassVar[str] = "auth.user-locked.v1"


class UserUnlocked(_AboutUser):
    name: ClassVar[str] = "auth.user-unlocked.v1"


class UserSessionsEnded(_AboutUser):
    """All sessions of the user that started before this are over."""

    name: ClassVar[str] = "auth.user-sessions-ended.v1"
    reason: EndReason


class UserSignedIn(_AboutUser):
    name: ClassVar[str] = "auth.user-signed-in.v1"
    session_id: UUID
    methods: tuple[str, ...]  # As in the token's `amr`.


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
    """An account used up its attempts; further ones are refused unseen until the window ends."""

    name: ClassVar[str] = "auth.sign-in-throttled.v1"
    account: str

    @property
    def subject(self) -> str:
        return f"account:{self.account}"


class _AboutSession(Entry):
    session_id: UUID
    user_id: UUID

    @property
    def subject(self) -> str:
        return f"session:{self.session_id}"


class SessionRefreshed(_AboutSession):
    name: ClassVar[str] = "auth.session-refreshed.v1"
    counter: int  # How many times this session was refreshed.


class RefreshReused(_AboutSession):
    """A spent refresh token came back: somebody else has a copy."""

    name: ClassVar[str] = "auth.refresh-reused.v1"
    presented: int
    counter: int


class SessionRevoked(_AboutSession):
    name: ClassVar[str] = "auth.session-revoked.v1"
    reason: RevocationReason
