from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base


class SigningKeyRow(Base):
    """A key of this installation that signs tokens, did, or will."""

    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(primary_key=True)
    private_sealed: Mapped[bytes | None]  # None once the key is over.
    added_at: Mapped[datetime]
    signs_from: Mapped[datetime]  # Published before, so that everybody knows it by then.
    ends_at: Mapped[datetime | None]  # No token that it signed is good any more.
