from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, FetchedValue, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from services.auth.users.rules import Language, Role
from shared.db import Base
from shared.ids import new_id


class User(Base):
    """A person's account in one tenant; address and name are sealed, the password hashed."""

    __tablename__ = "users"

    tenant_id: Mapped[UUID] = mapped_column(server_default=FetchedValue())
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email_index: Mapped[bytes]
    email_sealed: Mapped[bytes | None]  # Null of who was erased alone.
    name_sealed: Mapped[bytes | None]
    profile_key_sealed: Mapped[bytes | None]  # Opens what the journal holds of the profile.
    password_hash: Mapped[str]  # PHC string, Argon2id.
    password_change_required: Mapped[bool] = mapped_column(default=False)  # Somebody else set it.
    role: Mapped[Role] = mapped_column(Text)
    role_given_at: Mapped[datetime | None]  # When it was another last; null: since the account is.
    locations: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))  # Limited to; null: to none.
    language: Mapped[Language | None] = mapped_column(Text)  # Without one, the tenant's counts.
    language_changed_at: Mapped[datetime | None]  # Tokens made before it carry another one.
    verified_at: Mapped[datetime | None]  # When the address was shown to be the user's.
    approved_at: Mapped[datetime | None]  # By an administrator, or by the tenant's policy.
    locked_at: Mapped[datetime | None]
    deactivated_at: Mapped[datetime | None]  # Of who left; signs in as little as a stranger.
    erased_at: Mapped[datetime | None]  # Then nothing that tells who it was is left.
    factor_lost_at: Mapped[datetime | None]  # Until he sets another up, at the next sign-in.
    sessions_ended_at: Mapped[datetime | None]  # Sessions started before it are over.
    token_version: Mapped[int] = mapped_column(default=1)  # Older access tokens are refused.
    token_version_raised_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column("revision", default=1)
    created_at: Mapped[datetime]
