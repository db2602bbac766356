from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base
from shared.ids import new_id


class Webhook(Base):
    """An address that is told of events."""

    __tablename__ = "webhooks"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    url: Mapped[str]
    description: Mapped[str | None]
    event_types: Mapped[list[str] | None] = mapped_column(ARRAY(Text))  # Null: all.
    active: Mapped[bool] = mapped_column(default=True)
    disabled_reason: Mapped[str | None]  # Why it was switched off by us.
    owner_id: Mapped[UUID]  # The user who answers for it.
    owner_since: Mapped[datetime | None]  # Null: since it was added.
    secret_sealed: Mapped[bytes]
    previous_sealed: Mapped[bytes | None]  # The secret before, which signs too until then.
    previous_until: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]  # The first failure after the last success.
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class WebhookSequence(Base):
    """How many events a tenant has had; whoever holds the row gives out the next numbers."""

    __tablename__ = "webhook_sequences"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)


class WebhookEvent(Base):
    """Something that happened, as it is sent; `id` is the journal entry's."""

    __tablename__ = "webhook_events"

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    id: Mapped[UUID]
    type: Mapped[str]
    happened_at: Mapped[datetime]
    payload: Mapped[str]


class WebhookDelivery(Base):
    """One event on its way to one webhook."""

    __tablename__ = "webhook_deliveries"

    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("webhook_events.sequence"), primary_key=True
    )
    state: Mapped[str]
    tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]  # While it waits.
    finished_at: Mapped[datetime | None]
    status: Mapped[int | None]  # Of the last answer, with its beginning.
    answer: Mapped[str | None]
    error: Mapped[str | None]  # Why there was none.
