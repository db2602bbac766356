from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, FetchedValue
from sqlalchemy.orm import Mapped, mapped_column

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
