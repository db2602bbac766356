"""Messages on their way: taken on a lease, sent without a transaction, then written down."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.webhooks import metrics, queries
from services.inventory.webhooks.models import Webhook
from services.inventory.webhooks.rules import (
    EVENTS_KEPT,
    LEASE,
    Attempt,
    is_given_up,
    retry_after,
)
from services.inventory.webhooks.service.subscribing import SECRET_COLUMN, host_of
from shared import journal
from shared.contracts.inventory.webhooks import WebhookDisabled
from shared.log import log
from shared.security.sealing import SealBroken, Sealer, place

_FORGOTTEN_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Message:
    """One event to be sent to one webhook; it is signed with each of the secrets."""

    webhook_id: UUID
    sequence: int
    tries: int
    event_id: UUID
    payload: str
    url: str
    secrets: tuple[str, ...]
    is_failing: bool


async def list_due(session: AsyncSession, *, now: datetime) -> Sequence[tuple[UUID, UUID]]:
    """Return (tenant, id) of the webhooks of all tenants for which a message is due."""
    return await queries.list_due(session, now)


async def take_next(
    session: AsyncSession, tenant_id: UUID, webhook_id: UUID, *, sealer: Sealer, now: datetime
) -> Message | None:
    """Return the next message that is due for a webhook, which nobody else sends meanwhile.

    A crash before it is finished lets it be sent again: at least once, with the same id.
    Without secrets if the present one cannot be opened; one before that cannot be is left out.
    """
    row = await queries.take_next(session, webhook_id, now, until=now + LEASE)
    if row is None:
        return None
    where = place(SECRET_COLUMN, tenant_id, webhook_id)
    secrets = _opened(sealer, row["secret_sealed"], where, webhook_id)
    if secrets and row["previous_until"] is not None and row["previous_until"] > now:
        secrets += _opened(sealer, row["previous_sealed"], where, webhook_id)
    return Message(
        webhook_id=webhook_id,
        sequence=row["sequence"],
        tries=row["tries"],
        event_id=row["event_id"],
        payload=row["payload"],
        url=row["url"],
        secrets=secrets,
        is_failing=row["is_failing"],
    )


def _opened(sealer: Sealer, sealed: bytes, where: str, webhook_id: UUID) -> tuple[str, ...]:
    try:
        return (sealer.open(sealed, where).decode(),)
    except SealBroken:
        log.error("a webhook's secret cannot be opened", webhook_id=webhook_id)
        return ()


async def finish(
    session: AsyncSession, message: Message, attempt: Attempt, *, now: datetime
) -> None:
    """Write what became of an attempt: delivered, to be tried again, or dead.

    A webhook that has failed for days, or is gone, is switched off, which its owner can see.
    """
    wait = None if attempt.is_success else _wait(message, attempt)
    if attempt.is_success:
        if message.is_failing:
            await queries.forget_failures(session, message.webhook_id)
    else:
        webhook = await queries.note_failure(session, message.webhook_id, now)
        if webhook is not None:
            _disable_if_hopeless(session, webhook, attempt, now)
    state = "delivered" if attempt.is_success else "dead" if wait is None else "waiting"
    outcome = {
        "state": state,
        "due_at": None if wait is None else now + wait,
        "finished_at": now if wait is None else None,
        "status": attempt.status,
        "answer": attempt.answer,
        "error": attempt.error,
    }
    await queries.finish(session, message.webhook_id, message.sequence, message.tries, outcome)
    metrics.attempts.labels("failed" if state == "waiting" else state).inc()


def _wait(message: Message, attempt: Attempt) -> timedelta | None:
    jitter = random.random()  # noqa: S311 - spreads retries.
    return retry_after(message.tries, jitter, attempt.asked)


async def count_waiting(session: AsyncSession, *, now: datetime) -> tuple[int, float]:
    """Return how many deliveries of all tenants wait, and the age of the oldest in seconds."""
    return await queries.measure(session, now)


async def measure(session: AsyncSession, *, now: datetime) -> None:
    """Set the gauges of what waits."""
    waiting, lag_s = await count_waiting(session, now=now)
    metrics.waiting.set(waiting)
    metrics.lag.set(lag_s)


async def forget_old(session: AsyncSession, *, now: datetime) -> bool:
    """Remove some of the events that are too old, with their deliveries; say whether more are."""
    removed = await queries.forget(session, now - EVENTS_KEPT, most=_FORGOTTEN_AT_ONCE)
    return removed == _FORGOTTEN_AT_ONCE


def _disable_if_hopeless(
    session: AsyncSession, webhook: Webhook, attempt: Attempt, now: datetime
) -> None:
    since = webhook.failing_since or now
    if not webhook.active or not (attempt.is_gone or is_given_up(since, now)):
        return
    reason = "gone" if attempt.is_gone else "failing"
    webhook.active = False
    webhook.disabled_reason = reason
    webhook.version += 1
    webhook.updated_at = now
    journal.record(
        session,
        WebhookDisabled(
            webhook_id=webhook.id,
            host=host_of(webhook),
            owner_id=webhook.owner_id,
            reason=reason,
            failing_since=since,
        ),
    )
