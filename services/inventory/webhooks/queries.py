from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.webhooks.models import Webhook, WebhookDelivery, WebhookEvent


async def find_webhook(session: AsyncSession, webhook_id: UUID) -> Webhook | None:
    return await session.get(Webhook, webhook_id)


async def lock_webhook(
    session: AsyncSession, webhook_id: UUID, *, against_use: bool = False
) -> Webhook | None:
    """Return the webhook, which nobody else changes until the transaction ends.

    Whoever puts a message in line for it holds its row FOR KEY SHARE: that goes on beside an
    ordinary edit, but not beside a removal.
    """
    query = select(Webhook).where(Webhook.id == webhook_id)
    return await session.scalar(query.with_for_update(key_share=not against_use))


async def hold_webhook(session: AsyncSession, webhook_id: UUID) -> Webhook | None:
    """Return the webhook, which is not removed until the transaction ends."""
    query = select(Webhook).where(Webhook.id == webhook_id)
    return await session.scalar(query.with_for_update(read=True, key_share=True))


async def hold_webhooks(session: AsyncSession) -> Sequence[Webhook]:
    """Return all webhooks of the tenant, none of which is removed until the transaction ends."""
    query = select(Webhook).order_by(Webhook.id)
    return (await session.scalars(query.with_for_update(read=True, key_share=True))).all()


async def lock_owned(session: AsyncSession, owner_id: UUID) -> Sequence[Webhook]:
    """Return the active webhooks of an owner, as they are now; nobody else changes them."""
    query = select(Webhook).where(Webhook.owner_id == owner_id, Webhook.active)
    locked = query.order_by(Webhook.id).with_for_update(key_share=True)
    return (await session.scalars(locked, execution_options={"populate_existing": True})).all()


async def count_webhooks(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).select_from(Webhook)) or 0


async def list_webhooks(
    session: AsyncSession, *, after: tuple[UUID] | None, limit: int
) -> Sequence[Webhook]:
    query = select(Webhook).order_by(Webhook.id).limit(limit)
    if after is not None:
        query = query.where(Webhook.id > after[0])
    return (await session.scalars(query)).all()


async def remove_webhook(session: AsyncSession, webhook: Webhook) -> None:
    """Remove a webhook with all its deliveries."""
    await session.execute(delete(Webhook).where(Webhook.id == webhook.id))


async def list_deliveries(
    session: AsyncSession,
    webhook_id: UUID,
    *,
    state: str | None,
    after: tuple[int] | None,
    limit: int,
) -> Sequence[tuple[WebhookDelivery, WebhookEvent]]:
    """Return deliveries with their events, the newest event first."""
    query = (
        select(WebhookDelivery, WebhookEvent)
        .join(WebhookEvent, WebhookEvent.sequence == WebhookDelivery.sequence)
        .where(WebhookDelivery.webhook_id == webhook_id)
        .order_by(WebhookDelivery.sequence.desc())
        .limit(limit)
    )
    if state is not None:
        query = query.where(WebhookDelivery.state == state)
    if after is not None:
        query = query.where(WebhookDelivery.sequence < after[0])
    return [(row[0], row[1]) for row in await session.execute(query)]


async def find_delivery(
    session: AsyncSession, webhook_id: UUID, event_id: UUID
) -> tuple[WebhookDelivery, WebhookEvent] | None:
    query = (
        select(WebhookDelivery, WebhookEvent)
        .join(WebhookEvent, WebhookEvent.sequence == WebhookDelivery.sequence)
        .where(WebhookDelivery.webhook_id == webhook_id, WebhookEvent.id == event_id)
        .execution_options(populate_existing=True)
    )
    row = (await session.execute(query)).one_or_none()
    return (row[0], row[1]) if row is not None else None


async def take_numbers(session: AsyncSession, number: int) -> int:
    """Return the last of so many new sequence numbers of the tenant.

    They are in the order of commits: nobody else takes any until the transaction ends.
    """
    last: int = (await session.execute(_TAKE_NUMBERS, {"number": number})).scalar_one()
    return last


async def list_known(session: AsyncSession, ids: Collection[UUID]) -> set[UUID]:
    """Return which of these events there are already."""
    found = await session.scalars(select(WebhookEvent.id).where(WebhookEvent.id.in_(ids)))
    return set(found)


async def add_events(session: AsyncSession, events: Sequence[Mapping[str, Any]]) -> None:
    """Write events: sequence, id, type, happened_at and payload of each."""
    columns = ("sequence", "id", "type", "happened_at", "payload")
    arrays = {name: [event[name] for event in events] for name in columns}
    await session.execute(_ADD_EVENTS, arrays)


async def add_deliveries(
    session: AsyncSession, pairs: Sequence[tuple[UUID, int]], now: datetime
) -> None:
    """Put events, by their numbers, in line for webhooks."""
    arrays = {"webhooks": [pair[0] for pair in pairs], "numbers": [pair[1] for pair in pairs]}
    await session.execute(_ADD_DELIVERIES, {**arrays, "now": now})


async def send_again(
    session: AsyncSession, webhook_id: UUID, sequences: Sequence[int], now: datetime
) -> None:
    """Put events in line for a webhook once more; what waits already goes on waiting."""
    wanted = {"webhook": webhook_id, "numbers": list(sequences), "now": now}
    await session.execute(_SEND_AGAIN, wanted)


async def list_sequences(
    session: AsyncSession,
    event_types: Sequence[str] | None,
    *,
    since: int,
    without: str,
    limit: int,
) -> Sequence[int]:
    """Return the numbers of events of these types from one on, but of one type, in order."""
    query = select(WebhookEvent.sequence).where(WebhookEvent.sequence >= since)
    query = query.where(WebhookEvent.type != without)
    if event_types is not None:
        query = query.where(WebhookEvent.type.in_(event_types))
    return (await session.scalars(query.order_by(WebhookEvent.sequence).limit(limit))).all()


async def list_due(session: AsyncSession, now: datetime) -> Sequence[tuple[UUID, UUID]]:
    """Return (tenant, id) of the webhooks of all tenants for which a message is due."""
    rows = await session.execute(_DUE, {"at": now})
    return [(row.tenant_id, row.id) for row in rows]


async def take_next(
    session: AsyncSession, webhook_id: UUID, now: datetime, *, until: datetime
) -> RowMapping | None:
    """Take the message that has been due longest, which is nobody else's until then."""
    wanted = {"id": webhook_id, "now": now, "until": until}
    return (await session.execute(_TAKE_NEXT, wanted)).mappings().one_or_none()


async def finish(
    session: AsyncSession, webhook_id: UUID, sequence: int, tries: int, outcome: Mapping[str, Any]
) -> None:
    """Write what became of an attempt, unless another one was begun meanwhile."""
    wanted = {"webhook": webhook_id, "sequence": sequence, "tries": tries, **outcome}
    await session.execute(_FINISH, wanted)


async def forget_failures(session: AsyncSession, webhook_id: UUID) -> None:
    await session.execute(_FORGET_FAILURES, {"id": webhook_id})


async def note_failure(session: AsyncSession, webhook_id: UUID, now: datetime) -> Webhook | None:
    """Note since when a webhook fails; return it, which nobody else changes, unless it is gone."""
    webhook = await lock_webhook(session, webhook_id)
    if webhook is not None and webhook.failing_since is None:
        webhook.failing_since = now
    return webhook


async def measure(session: AsyncSession, now: datetime) -> tuple[int, float]:
    """Return how many messages of all tenants wait, and for how many seconds one has been due."""
    row = (await session.execute(_MEASURE, {"at": now})).one()
    return row.waiting, row.lag_s


async def forget(session: AsyncSession, before: datetime, *, most: int) -> int:
    """Remove events of all tenants from before, with their deliveries; return how many."""
    found = await session.execute(_FORGET, {"before": before, "most": most})
    return int(found.scalar_one())


_TAKE_NUMBERS = text("""
    INSERT INTO webhook_sequences AS s (last) VALUES (:number)
    ON CONFLICT ON CONSTRAINT webhook_sequences_pkey DO UPDATE SET last = s.last + excluded.last
    RETURNING last""")
_ADD_EVENTS = text("""
    INSERT INTO webhook_events (sequence, id, type, happened_at, payload)
    SELECT * FROM unnest(
        CAST(:sequence AS bigint[]), CAST(:id AS uuid[]), CAST(:type AS text[]),
        CAST(:happened_at AS timestamptz[]), CAST(:payload AS text[]))""")
_ADD_DELIVERIES = text("""
    INSERT INTO webhook_deliveries (webhook_id, sequence, state, tries, due_at)
    SELECT webhook_id, sequence, 'waiting', 0, :now
    FROM unnest(CAST(:webhooks AS uuid[]), CAST(:numbers AS bigint[])) AS s (webhook_id, sequence)
    """)
_SEND_AGAIN = text("""
    INSERT INTO webhook_deliveries AS d (webhook_id, sequence, state, tries, due_at)
    SELECT :webhook, sequence, 'waiting', 0, :now
    FROM unnest(CAST(:numbers AS bigint[])) AS s (sequence) ORDER BY sequence
    ON CONFLICT ON CONSTRAINT webhook_deliveries_pkey DO UPDATE
    SET state = 'waiting', tries = 0, due_at = excluded.due_at, finished_at = NULL
    WHERE d.state <> 'waiting'""")
_DUE = text("SELECT tenant_id, id FROM due_webhooks(:at)")
_TAKE_NEXT = text("""
    WITH next AS (
        SELECT d.sequence FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id
        WHERE d.webhook_id = :id AND d.state = 'waiting' AND d.due_at <= :now AND w.active
        ORDER BY d.due_at, d.sequence LIMIT 1 FOR UPDATE OF d SKIP LOCKED
    ), taken AS (
        UPDATE webhook_deliveries d SET tries = d.tries + 1, due_at = :until
        FROM next WHERE d.webhook_id = :id AND d.sequence = next.sequence
        RETURNING d.sequence, d.tries
    )
    SELECT t.sequence, t.tries, e.id AS event_id, e.payload, w.url, w.secret_sealed,
        w.previous_sealed, w.previous_until, w.failing_since IS NOT NULL AS is_failing
    FROM taken t JOIN webhook_events e ON e.sequence = t.sequence JOIN webhooks w ON w.id = :id""")
_FINISH = text("""
    UPDATE webhook_deliveries SET state = :state, due_at = coalesce(:due_at, due_at),
        finished_at = :finished_at, status = :status, answer = :answer, error = :error
    WHERE webhook_id = :webhook AND sequence = :sequence AND tries = :tries AND state = 'waiting'
    """)
_FORGET_FAILURES = text("UPDATE webhooks SET failing_since = NULL WHERE id = :id")
_MEASURE = text("SELECT waiting, lag_s FROM measure_webhooks(:at)")
_FORGET = text("SELECT forget_webhook_events(:before, :most)")
