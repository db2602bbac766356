from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, FetchedValue, Text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base
from shared.ids import new_id


class UserSession(Base):
    """One sign-in and all the tokens that came of it: a counter stands for the refresh tokens."""

    __tablename__ = "sessions"

    tenant_id: Mapped[UUID] = mapped_column(server_default=FetchedValue())
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID]
    counter: Mapped[int] = mapped_column(BigInteger, default=0)  # Of the refresh token that is due.
    methods: Mapped[list[str]] = mapped_column(ARRAY(Text))  # As in the token's `amr`.
    started_at: Mapped[datetime]
    proved_at: Mapped[datetime]  # When the user last proved who he is, as in `auth_time`.
    refreshed_at: Mapped[datetime]
    expires_at: Mapped[datetime]  # Unless refreshed before.
    revoked_at: Mapped[datetime | None]
    device_sealed: Mapped[bytes | None]  # Where it was last used from, and with what, as JSON.
