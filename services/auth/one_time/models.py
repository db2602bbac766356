from datetime import datetime
from uuid import UUID

from sqlalchemy import FetchedValue, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.auth.one_time.rules import Purpose
from shared.db import Base


class OneTimeToken(Base):
    """A token that was sent by mail: a few of each purpose for a user, gone once one is used."""

    __tablename__ = "one_time_tokens"

    tenant_id: Mapped[UUID] = mapped_column(server_default=FetchedValue())
    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    purpose: Mapped[Purpose] = mapped_column(Text)
    secret_index: Mapped[bytes]
    email_sealed: Mapped[bytes | None]  # Where it was sent, if that is to be the user's address.
    token_version: Mapped[int]  # Of the user when it was sent: a change of password ends it.
    expires_at: Mapped[datetime]
