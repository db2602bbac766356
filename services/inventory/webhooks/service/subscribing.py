"""Adding, changing and removing webhooks."""

import secrets
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.webhooks import queries
from services.inventory.webhooks.errors import (
    TooManyWebhooks,
    WebhookNotFound,
    WebhookUrlRefused,
)
from services.inventory.webhooks.models import Webhook
from services.inventory.webhooks.rules import EVENTS, SECRET_BYTES, WEBHOOKS_MAX, new_secret
from services.inventory.webhooks.schemas import (
    EventTypeRead,
    EventTypesRead,
    SecretRotation,
    WebhookCreate,
    WebhookPage,
    WebhookQuery,
    WebhookRead,
    WebhookSecretRead,
    WebhookUpdate,
)
from shared import journal
from shared.contracts.inventory.webhooks import WebhookRemoved, WebhookSaved, WebhookSecretRotated
from shared.etag import require_match
from shared.ids import new_id
from shared.outgoing import OutgoingClient
from shared.pagination import Keyset
from shared.principal import Principal
from shared.resealing import SealedColumn
from shared.security.sealing import Sealer, place

SECRET_COLUMN = "inventory.webhooks.secret"  # noqa: S105 - the place that secrets are bound to.
SEALED_COLUMNS = (
    SealedColumn("webhooks", "secret_sealed", SECRET_COLUMN),
    SealedColumn("webhooks", "previous_sealed", SECRET_COLUMN),
)
_BY_ID = Keyset("added", UUID)


def list_event_types() -> EventTypesRead:
    """Return all types of events with the fields of their data."""
    found = [EventTypeRead(type=name, fields=list(fields)) for name, fields in EVENTS.items()]
    return EventTypesRead(items=found)


async def add_webhook(
    session: AsyncSession,
    wanted: WebhookCreate,
    *,
    outgoing: OutgoingClient,
    sealer: Sealer,
    caller: Principal,
    now: datetime,
) -> WebhookSecretRead:
    """Add a webhook, whose secret is never shown again.

    Raises WebhookUrlRefused, TooManyWebhooks.
    """
    _require_url(outgoing, wanted.url)
    await queries.take_numbers(session, 0)  # One at a time, for their number.
    if await queries.count_webhooks(session) >= WEBHOOKS_MAX:
        raise TooManyWebhooks(limit=WEBHOOKS_MAX)
    webhook = Webhook(
        id=new_id(),
        url=wanted.url,
        description=wanted.description,
        event_types=wanted.event_types,
        active=True,
        owner_id=caller.id,
        version=1,
        created_at=now,
        updated_at=now,
    )
    secret = _renew_secret(webhook, sealer, caller.tenant_id)
    session.add(webhook)
    _tell(session, webhook)
    return _with_secret(webhook, secret)


async def change_webhook(
    session: AsyncSession,
    webhook_id: UUID,
    wanted: WebhookUpdate,
    if_match: str | None,
    *,
    outgoing: OutgoingClient,
    caller: Principal,
    now: datetime,
) -> Webhook:
    """Change a webhook; switched on it begins without failures, and is the caller's.

    Raises WebhookNotFound, PreconditionFailed, WebhookUrlRefused.
    """
    webhook = await _lock(session, webhook_id)
    require_match(if_match, webhook.version)
    given = wanted.model_fields_set
    if not given:
        return webhook
    if wanted.url is not None:
        _require_url(outgoing, wanted.url)
        webhook.url = wanted.url
    if "event_types" in given:
        webhook.event_types = wanted.event_types
    if "description" in given:
        webhook.description = wanted.description
    if wanted.active and not webhook.active:
        webhook.owner_id, webhook.owner_since = caller.id, now
    if wanted.active is not None:
        webhook.active = wanted.active
        webhook.disabled_reason = webhook.failing_since = None
    webhook.version += 1
    webhook.updated_at = now
    _tell(session, webhook)
    return webhook


async def rotate_secret(
    session: AsyncSession,
    webhook_id: UUID,
    wanted: SecretRotation,
    *,
    sealer: Sealer,
    caller: Principal,
    now: datetime,
) -> WebhookSecretRead:
    """Give a webhook a new secret; the one before signs too for a while.

    Raises WebhookNotFound.
    """
    webhook = await _lock(session, webhook_id)
    webhook.previous_sealed = webhook.secret_sealed
    webhook.previous_until = now + timedelta(hours=wanted.overlap_hours)
    secret = _renew_secret(webhook, sealer, caller.tenant_id)
    webhook.version += 1
    webhook.updated_at = now
    journal.record(
        session,
        WebhookSecretRotated(
            webhook_id=webhook.id,
            host=host_of(webhook),
            previous_until=webhook.previous_until,
        ),
    )
    return _with_secret(webhook, secret)


async def remove_webhook(session: AsyncSession, webhook_id: UUID, if_match: str | None) -> None:
    """Remove a webhook; nothing more is sent. Raises WebhookNotFound, PreconditionFailed."""
    webhook = await _lock(session, webhook_id, against_use=True)
    require_match(if_match, webhook.version)
    await queries.remove_webhook(session, webhook)
    journal.record(session, WebhookRemoved(webhook_id=webhook.id, host=host_of(webhook)))


async def get_webhook(session: AsyncSession, webhook_id: UUID) -> Webhook:
    """Return the webhook. Raises WebhookNotFound."""
    webhook = await queries.find_webhook(session, webhook_id)
    if webhook is None:
        raise WebhookNotFound
    return webhook


async def list_webhooks(session: AsyncSession, wanted: WebhookQuery) -> WebhookPage:
    """Return one page of webhooks, the oldest first. Raises InvalidCursor."""
    rows = await queries.list_webhooks(
        session, after=_BY_ID.after(wanted.cursor), limit=wanted.limit + 1
    )
    page, next_cursor = _BY_ID.page(rows, wanted.limit, lambda row: (row.id,))
    return WebhookPage(items=[to_read(row) for row in page], next_cursor=next_cursor)


def to_read(webhook: Webhook) -> WebhookRead:
    return WebhookRead.model_validate(webhook)


def host_of(webhook: Webhook) -> str:
    """Return the host of a webhook's address, which holds no secret."""
    return urlsplit(webhook.url).hostname or ""


def _with_secret(webhook: Webhook, secret: str) -> WebhookSecretRead:
    return WebhookSecretRead(**to_read(webhook).model_dump(), secret=secret)


def _renew_secret(webhook: Webhook, sealer: Sealer, tenant_id: UUID) -> str:
    secret = new_secret(secrets.token_bytes(SECRET_BYTES))
    where = place(SECRET_COLUMN, tenant_id, webhook.id)
    webhook.secret_sealed = sealer.seal(secret.encode(), where)
    return secret


def _require_url(outgoing: OutgoingClient, url: str) -> None:
    if not outgoing.may_ask(url):
        raise WebhookUrlRefused


async def _lock(session: AsyncSession, webhook_id: UUID, *, against_use: bool = False) -> Webhook:
    webhook = await queries.lock_webhook(session, webhook_id, against_use=against_use)
    if webhook is None:
        raise WebhookNotFound
    return webhook


def _tell(session: AsyncSession, webhook: Webhook) -> None:
    journal.record(
        session,
        WebhookSaved(
            webhook_id=webhook.id,
            host=host_of(webhook),
            event_types=webhook.event_types,
            active=webhook.active,
            owner_id=webhook.owner_id,
        ),
    )
