from datetime import datetime
from uuid import UUID

from sqlalchemy import FetchedValue, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.auth.throttle.rules import Kind
from shared.db import Base


class AttemptRow(Base):
    """Attempts in a row on one account, or of one user's codes."""

    __tablename__ = "attempts"

    tenant_id: Mapped[UUID] = mapped_column(server_default=FetchedValue())
    kind: Mapped[Kind] = mapped_column(Text, primary_key=True)
    key: Mapped[bytes] = mapped_column(primary_key=True)
    attempts: Mapped[int]
    attempted_at: Mapped[datetime]
    blocked_until: Mapped[datetime]


class NetworkAttemptRow(Base):
    """Attempts in a row from one network, on whatever accounts of whatever tenants."""

    __tablename__ = "network_attempts"

    network: Mapped[bytes] = mapped_column(primary_key=True)
    attempts: Mapped[int]
    attempted_at: Mapped[datetime]
    blocked_until: Mapped[datetime]


class KnownNetwork(Base):
    """A network from which a user has signed in."""

    __tablename__ = "known_networks"

    tenant_id: Mapped[UUID] = mapped_column(server_default=FetchedValue())
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    network: Mapped[bytes] = mapped_column(primary_key=True)
    last_seen_at: Mapped[datetime]
