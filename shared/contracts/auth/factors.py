"""What auth journals of second factors."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.contracts.auth.users import AboutUser

FactorMethod = Literal["otp"]
RecoveryOutcome = Literal["withdrawn", "declined"]


class TwoFactorSetUp(AboutUser):
    """A second factor counts from now on, or another one instead of the one before."""

    name: ClassVar[str] = "auth.two-factor-set-up.v1"
    method: FactorMethod


class TwoFactorDisabled(AboutUser):
    name: ClassVar[str] = "auth.two-factor-disabled.v1"


class AboutPasskey(AboutUser):
    user_id: UUID
    passkey_id: UUID


class PasskeyAdded(AboutPasskey):
    name: ClassVar[str] = "auth.passkey-added.v1"


class PasskeyRemoved(AboutPasskey):
    name: ClassVar[str] = "auth.passkey-removed.v1"


class PasskeyWentBack(AboutPasskey):
    """A good signature with a counter that did not grow: there may be a copy. It was refused."""

    name: ClassVar[str] = "auth.passkey-went-back.v1"


class TwoFactorRefused(AboutUser):
    """The password was right and the code was not."""

    name: ClassVar[str] = "auth.two-factor-refused.v1"


class RecoveryCodeUsed(AboutUser):
    name: ClassVar[str] = "auth.recovery-code-used.v1"
    left: int


class RecoveryCodesReplaced(AboutUser):
    name: ClassVar[str] = "auth.recovery-codes-replaced.v1"


class AboutRecovery(AboutUser):
    user_id: UUID
    requested_by: UUID  # The administrator who asked.


class FactorRecoveryRequested(AboutRecovery):
    """An administrator asked that the user, who lost his second factor, may begin anew."""

    name: ClassVar[str] = "auth.factor-recovery-requested.v1"
    expires_at: datetime


class FactorRecoveryEnded(AboutRecovery):
    """Withdrawn by who asked, or declined by another."""

    name: ClassVar[str] = "auth.factor-recovery-ended.v1"
    ended_by: UUID
    outcome: RecoveryOutcome


class FactorRecovered(AboutRecovery):
    """Another administrator approved: the user's factors are gone, he sets another up."""

    name: ClassVar[str] = "auth.factor-recovered.v1"
    approved_by: UUID


class FactorRecoveredByOperator(AboutUser):
    """Whoever runs the installation did it: there were not two other administrators."""

    user_id: UUID
    name: ClassVar[str] = "auth.factor-recovered-by-operator.v1"


class IdentityProved(AboutUser):
    """A fresh proof in a session that goes on: dangerous acts are allowed for a while."""

    name: ClassVar[str] = "auth.identity-proved.v1"
    methods: tuple[str, ...]
