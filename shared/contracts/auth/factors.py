"""What auth journals of second factors."""

from typing import ClassVar, Literal

from shared.contracts.auth.users import AboutUser

FactorMethod = Literal["otp"]


class TwoFactorSetUp(AboutUser):
    """A second factor counts from now on, or another one instead of the one before."""

    name: ClassVar[str] = "auth.two-factor-set-up.v1"
    method: FactorMethod


class TwoFactorDisabled(AboutUser):
    name: ClassVar[str] = "auth.two-factor-disabled.v1"


class TwoFactorRefused(AboutUser):
    """The password was right and the code was not."""

    name: ClassVar[str] = "auth.two-factor-refused.v1"


class RecoveryCodeUsed(AboutUser):
    name: ClassVar[str] = "auth.recovery-code-used.v1"
    left: int


class RecoveryCodesReplaced(AboutUser):
    name: ClassVar[str] = "auth.recovery-codes-replaced.v1"


class IdentityProved(AboutUser):
    """A fresh proof in a session that goes on: dangerous acts are allowed for a while."""

    name: ClassVar[str] = "auth.identity-proved.v1"
    methods: tuple[str, ...]
