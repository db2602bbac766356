from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, FetchedValue, Text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base
from shared.ids import new_id


class ApiKey(Base):
    """A key with which a machine acts for a user, with less than his rights."""

    __tablename__ = "api_keys"

    tenant_id: Mapped[UUID] = mapped_column(server_default=FetchedValue())
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID]
    name: Mapped[str]
    secret_index: Mapped[bytes]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]  # To within the lifetime of an access token.
    revoked_at: Mapped[datetime | None]
