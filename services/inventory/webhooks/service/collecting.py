"""From journal entries to events, and in line for the webhooks that want them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.webhooks import queries
from services.inventory.webhooks.models import Webhook
from services.inventory.webhooks.rules import EVENTS, public_data, write_payload
from shared.clock import utc_now
from shared.journal.aside import FeedEntry


async def collect(session: AsyncSession, entries: Sequence[FeedEntry]) -> None:
    """Keep what webhooks of the session's tenant want of its entries, and put it in line for them.

    Entries that were collected before are passed over. A webhook gets what was recorded since it
    was added; one that is switched off gets nothing, but a replay finds the event later.
    """
    public = [entry for entry in entries if entry["type"] in EVENTS]
    if not public:
        return
    webhooks = await queries.hold_webhooks(session)
    wanted = [entry for entry in public if any(_wants(each, entry) for each in webhooks)]
    if not wanted:
        return
    first = await queries.take_numbers(session, 0)  # From here on nobody else collects for it.
    known = await queries.list_known(session, [UUID(entry["id"]) for entry in wanted])
    new = [entry for entry in wanted if UUID(entry["id"]) not in known]
    if not new:
        return
    await queries.take_numbers(session, len(new))
    numbered = list(enumerate(new, start=first + 1))
    await queries.add_events(session, [_event(number, entry) for number, entry in numbered])
    pairs = [
        (webhook.id, number)
        for number, entry in numbered
        for webhook in webhooks
        if webhook.active and _wants(webhook, entry)
    ]
    await queries.add_deliveries(session, pairs, utc_now())


def _wants(webhook: Webhook, entry: FeedEntry) -> bool:
    if datetime.fromisoformat(entry["recorded_at"]) < webhook.created_at:
        return False
    return webhook.event_types is None or entry["type"] in webhook.event_types


def _event(number: int, entry: FeedEntry) -> dict[str, object]:
    data = public_data(entry["type"], entry["data"])
    return {
        "sequence": number,
        "id": UUID(entry["id"]),
        "type": entry["type"],
        "happened_at": datetime.fromisoformat(entry["recorded_at"]),
        "payload": write_payload(entry["type"], entry["recorded_at"], number, data),
    }
