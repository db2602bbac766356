"""What inventory journals of webhooks. Addresses may hold secrets: only their host is told."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.journal import Entry


class AboutWebhook(Entry):
    subject_of: ClassVar[tuple[str, str]] = ("webhook", "webhook_id")
    webhook_id: UUID
    host: str


class WebhookSaved(AboutWebhook):
    """A webhook as it stands after it was added or changed."""

    name: ClassVar[str] = "inventory.webhook-saved.v1"
    event_types: list[str] | None  # None: all.
    active: bool
    owner_id: UUID


class WebhookRemoved(AboutWebhook):
    name: ClassVar[str] = "inventory.webhook-removed.v1"


class WebhookSecretRotated(AboutWebhook):
    """A new secret signs; until this time the one before signs too."""

    name: ClassVar[str] = "inventory.webhook-secret-rotated.v1"
    previous_until: datetime


class WebhookOwnerLost(AboutWebhook):
    """Nothing is sent any more: who answers for it left, or may not any more."""

    name: ClassVar[str] = "inventory.webhook-owner-lost.v1"
    owner_id: UUID
    reason: Literal["owner_left", "owner_role", "owner_limited"]


class WebhookDisabled(AboutWebhook):
    """Nothing is sent any more: it failed for days, or the receiver said that it is gone."""

    name: ClassVar[str] = "inventory.webhook-disabled.v1"
    owner_id: UUID
    reason: Literal["failing", "gone"]
    failing_since: datetime
