from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, FetchedValue, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.auth.factors.rules import ChallengePurpose
from shared.db import Base


class Authenticator(Base):
    """A user's one-time codes: the secret in use, and one that waits for its first code."""

    __tablename__ = "authenticators"

    tenant_id: Mapped[UUID] = mapped_column(server_default=FetchedValue())
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    secret_sealed: Mapped[bytes | None]
    pending_sealed: Mapped[bytes | None]
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)  # Codes up to it are spent.
    confirmed_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """One recovery code, of which only a keyed hash is kept."""

    __tablename__ = "recovery_codes"

    tenant_id: Mapped[UUID] = mapped_column(server_default=FetchedValue())
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    code_index: Mapped[bytes] = mapped_column(primary_key=True)
    used_at: Mapped[datetime | None]


class Passkey(Base):
    """A WebAuthn credential of a user: the public half, and how often it signed."""

    __tablename__ = "passkeys"

    tenant_id: Mapped[UUID] = mapped_column(server_default=FetchedValue())
    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    credential_id: Mapped[bytes]  # Chosen by the authenticator.
    public_key: Mapped[bytes]  # COSE, RFC 9052.
    sign_count: Mapped[int] = mapped_column(BigInteger)  # Zero for those that do not count.
    transports: Mapped[list[str]] = mapped_column(ARRAY(Text))  # How browsers reach it.
    name_sealed: Mapped[bytes]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class PasskeyChallenge(Base):
    """What a passkey is to sign: kept as its hash, good once."""

    __tablename__ = "passkey_challenges"

    tenant_id: Mapped[UUID] = mapped_column(server_default=FetchedValue())
    challenge_index: Mapped[bytes] = mapped_column(primary_key=True)  # SHA-256.
    user_id: Mapped[UUID]
    purpose: Mapped[ChallengePurpose] = mapped_column(Text)
    bound_to: Mapped[UUID | None]  # The session or enrolment token that asked; none at sign-in.
    expires_at: Mapped[datetime]
