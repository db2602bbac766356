from datetime import datetime
from uuid import UUID

from sqlalchemy import FetchedValue
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base


class ProvisionedUser(Base):
    """What a directory says of an account beyond the account itself, and whether it removed it."""

    __tablename__ = "provisioned_users"

    tenant_id: Mapped[UUID] = mapped_column(server_default=FetchedValue())
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_name_index: Mapped[bytes]
    external_id_index: Mapped[bytes | None]
    profile_sealed: Mapped[bytes]  # JSON: `DirectoryProfile`.
    removed_at: Mapped[datetime | None]  # Then the directory sees it no more.
    changed_at: Mapped[datetime]  # By the directory.
