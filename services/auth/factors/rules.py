"""Second factors: codes by time (RFC 6238), recovery codes, passkeys, and who must have one."""

import base64
import hashlib
import hmac
import re
import secrets
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

import pyotp

Kind: TypeAlias = Literal["otp", "passkey"]
Method: TypeAlias = Literal["otp", "recovery", "hwk"]  # As in `amr`, RFC 8176.
ChallengePurpose: TypeAlias = Literal["registration", "proof"]

STEP_S: Final = 30
DRIFT_STEPS: Final = 1  # A code of the step before or after counts too.
RECOVERY_CODES: Final = 10
PASSKEYS_MAX: Final = 10
CHALLENGE_BYTES: Final = 32
CHALLENGE_LIFETIME: Final = timedelta(minutes=5)

_SECRET_LENGTH = 32  # Base32: 160 bits, as RFC 4226 (4, R6) recommends.
_RECOVERY_BYTES = 15  # 120 bits: 24 characters of base32, nothing left over.
_GROUP = 6
_TOTP = re.compile(r"[0-9]{6}")
_SEPARATORS = re.compile(r"[\s-]+")
# Values of `amr` that are second factors, RFC 8176.
STRONG: Final = frozenset({"otp", "hwk", "mfa"})


def new_secret() -> str:
    """Return a secret for an authenticator, in base32."""
    return pyotp.random_base32(_SECRET_LENGTH)


def otpauth_uri(secret: str, *, account: str, issuer: str) -> str:
    """Return what an authenticator reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def matching_step(secret: str, code: str, now: datetime, *, last_step: int) -> int | None:
    """Return the time step whose tidied code this is, or None.

    Only the step of `now` and DRIFT_STEPS to either side count, and none up to `last_step`: a code
    is good once, and so is every earlier one (RFC 6238, 5.2).
    """
    if not is_totp(code):
        return None
    totp = pyotp.TOTP(secret, interval=STEP_S)
    present = int(now.timestamp()) // STEP_S
    found = None
    for step in range(present - DRIFT_STEPS, present + DRIFT_STEPS + 1):
        if hmac.compare_digest(totp.generate_otp(step), code) and step > last_step:
            found = step
    return found


def is_totp(code: str) -> bool:
    """Say whether a tidied code has the form of an authenticator's."""
    return bool(_TOTP.fullmatch(code))


def tidy(code: str) -> str:
    """Return a code as it is compared: without spaces and hyphens, in capitals."""
    return _SEPARATORS.sub("", code).upper()


def new_recovery_codes() -> list[str]:
    """Return fresh recovery codes as a person reads them: four groups of six."""
    return [_new_recovery_code() for _ in range(RECOVERY_CODES)]


def recovery_index(code: str, key: bytes) -> bytes:
    """Return what is kept of a tidied recovery code; without the key it says nothing."""
    return hmac.digest(key, code.encode(), hashlib.sha256)


def is_strong(methods: tuple[str, ...] | list[str]) -> bool:
    """Say whether somebody who proved himself so used a second factor that he still has."""
    return not STRONG.isdisjoint(methods)


def has_gone_back(known: int, shown: int) -> bool:
    """Say whether a passkey's counter tells of a copy: it must grow, unless it never counts.

    Source: WebAuthn Level 3, 7.2, step 22.
    """
    return (known > 0 or shown > 0) and shown <= known


def must_have_factor(role: str, *, tenant_demands: bool) -> bool:
    """Say whether nobody with this role gets a session without a second factor."""
    return role == "admin" or tenant_demands


def _new_recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode()
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))
