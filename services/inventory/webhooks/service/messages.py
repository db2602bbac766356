"""What was sent to a webhook, and sending something again."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.webhooks import queries
from services.inventory.webhooks.errors import (
    WebhookInactive,
    WebhookMessageNotFound,
    WebhookNotFound,
)
from services.inventory.webhooks.models import Webhook, WebhookDelivery, WebhookEvent
from services.inventory.webhooks.rules import PING, REPLAY_MAX, write_payload
from services.inventory.webhooks.schemas import (
    DeliveryPage,
    DeliveryQuery,
    DeliveryRead,
    ReplayRead,
    WebhookReplay,
)
from services.inventory.webhooks.service.subscribing import get_webhook
from shared.ids import new_id
from shared.pagination import Keyset

_NEWEST = Keyset("newest", int)


async def list_deliveries(
    session: AsyncSession, webhook_id: UUID, wanted: DeliveryQuery
) -> DeliveryPage:
    """Return one page of a webhook's deliveries, the newest first.

    Raises WebhookNotFound, InvalidCursor.
    """
    webhook = await get_webhook(session, webhook_id)
    rows = await queries.list_deliveries(
        session,
        webhook.id,
        state=wanted.state,
        after=_NEWEST.after(wanted.cursor),
        limit=wanted.limit + 1,
    )
    page, next_cursor = _NEWEST.page(rows, wanted.limit, lambda row: (row[0].sequence,))
    return DeliveryPage(items=[_to_read(*row) for row in page], next_cursor=next_cursor)


async def ping(session: AsyncSession, webhook_id: UUID, *, now: datetime) -> DeliveryRead:
    """Put a message without content in line. Raises WebhookNotFound, WebhookInactive."""
    webhook = await _hold_active(session, webhook_id)
    sequence, event_id = await queries.take_numbers(session, 1), new_id()
    event = {
        "sequence": sequence,
        "id": event_id,
        "type": PING,
        "happened_at": now,
        "payload": write_payload(PING, now.isoformat(), sequence, {}),
    }
    await queries.add_events(session, [event])
    await queries.add_deliveries(session, [(webhook.id, sequence)], now)
    return DeliveryRead(
        event_id=event_id,
        sequence=sequence,
        event_type=PING,
        happened_at=now,
        state="waiting",
        attempts=0,
        next_attempt_at=now,
        finished_at=None,
        status=None,
        answer=None,
        error=None,
    )


async def resend(
    session: AsyncSession, webhook_id: UUID, event_id: UUID, *, now: datetime
) -> DeliveryRead:
    """Put one message in line again, from its first attempt.

    Raises WebhookNotFound, WebhookInactive, WebhookMessageNotFound.
    """
    webhook = await _hold_active(session, webhook_id)
    found = await _get_delivery(session, webhook.id, event_id)
    await queries.send_again(session, webhook.id, [found.sequence], now)
    return await _get_delivery(session, webhook.id, event_id)


async def replay(
    session: AsyncSession, webhook_id: UUID, wanted: WebhookReplay, *, now: datetime
) -> ReplayRead:
    """Put the events that a webhook wants in line again, from a number on, with the same ids.

    Also those of the time when it was switched off. Raises WebhookNotFound, WebhookInactive.
    """
    webhook = await _hold_active(session, webhook_id)
    found = await queries.list_sequences(
        session,
        webhook.event_types,
        since=wanted.from_sequence,
        without=PING,
        limit=REPLAY_MAX + 1,
    )
    queued = found[:REPLAY_MAX]
    if queued:
        await queries.send_again(session, webhook.id, queued, now)
    return ReplayRead(
        queued=len(queued), next_sequence=found[-1] if len(found) > REPLAY_MAX else None
    )


async def _hold_active(session: AsyncSession, webhook_id: UUID) -> Webhook:
    webhook = await queries.hold_webhook(session, webhook_id)
    if webhook is None:
        raise WebhookNotFound
    if not webhook.active:
        raise WebhookInactive
    return webhook


async def _get_delivery(session: AsyncSession, webhook_id: UUID, event_id: UUID) -> DeliveryRead:
    found = await queries.find_delivery(session, webhook_id, event_id)
    if found is None:
        raise WebhookMessageNotFound
    return _to_read(*found)


def _to_read(delivery: WebhookDelivery, event: WebhookEvent) -> DeliveryRead:
    return DeliveryRead(
        event_id=event.id,
        sequence=event.sequence,
        event_type=event.type,
        happened_at=event.happened_at,
        state=delivery.state,
        attempts=delivery.tries,
        next_attempt_at=delivery.due_at if delivery.state == "waiting" else None,
        finished_at=delivery.finished_at,
        status=delivery.status,
        answer=delivery.answer,
        error=delivery.error,
    )
