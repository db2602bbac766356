from pydantic import Field

from services.auth.sessions.schemas import Code, EnrolmentRead, SignedInRead
from shared.schemas import Input, Output


class CodeInput(Input):
    code: Code


class TwoFactorRead(Output):
    """Whether there is a second factor, and must be."""

    enabled: bool
    required: bool = Field(description="Whether your role or your tenant demands it.")
    recovery_codes_left: int


class SetupRead(Output):
    """What an authenticator needs; it counts from its first code on, at /api/auth/2fa/verify."""

    secret: str = Field(
        description="To type in where no picture can be read.", examples=["W6D2YFOQ…"]
    )
    otpauth_uri: str = Field(
        description="What the picture says.",
        examples=["otpauth://totp/Stockwright:ada%40example.com?secret=W6D2…"],
    )
    qr_svg: str = Field(description="The picture to scan, as SVG.", examples=["<svg …></svg>"])


class RecoveryCodesRead(Output):
    """Codes for when the second factor is lost."""

    recovery_codes: list[str] = Field(
        description="Each is good once, when the authenticator is lost. Shown this once.",
        examples=[["P43EIX-MPQK23-HHKZSU-RADLTI"]],
    )


class VerifiedRead(RecoveryCodesRead):
    """The authenticator is in use; keep the recovery codes."""

    enabled: bool


class VerifiedSignedInRead(VerifiedRead, SignedInRead):
    """The answer to an enrolment token: the sign-in is finished."""


class VerifiedEnrollingRead(VerifiedRead, EnrolmentRead):
    """The answer to an enrolment token when something is still to be done."""
