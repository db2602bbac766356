"""How old the figures are: how far journals were followed, and what their services have beyond."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import httpx
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from services.reporting.freshness import queries
from services.reporting.freshness.rules import UNKNOWN, FollowedTo, Freshness, freshness_of
from services.reporting.freshness.schemas import AsOf
from shared.errors import Unavailable
from shared.http import ServiceClient
from shared.journal import JournalPage
from shared.journal.aside import is_incomplete
from shared.journal.follow import hold_off

TIMEOUT_S = 1.0
INVENTORY = "inventory"


async def list_followed(session: AsyncSession, producers: Sequence[str]) -> list[FollowedTo]:
    """Return how far these journals are counted, in the order of their names.

    To be read before the figures: those may be newer than what this says, never older. A rebuild
    waits until the transaction ends.
    """
    await hold_off(session)
    return [FollowedTo(**row) for row in await queries.list_cursors(session, producers)]


async def find_as_of(session: AsyncSession, client: ServiceClient | None, *, now: datetime) -> AsOf:
    """Return how old figures are that are read from the session after this."""
    [followed] = await list_followed(session, [INVENTORY])
    return await to_as_of(session, followed, await measure(client, followed, now=now))


async def to_as_of(session: AsyncSession, followed: FollowedTo, found: Freshness) -> AsOf:
    """Return how old figures are that count what was followed then."""
    return AsOf(
        as_of=followed.recorded_at,
        lag_s=found.lag_s,
        behind=found.entries,
        incomplete=followed.is_rebuilding or await is_incomplete(session),
    )


async def measure(
    client: ServiceClient | None, followed: FollowedTo, *, now: datetime
) -> Freshness:
    """Ask the journal's service for the first entry beyond; unknown when it does not answer."""
    if client is None:
        return UNKNOWN
    after = {"after_xid": followed.xid, "after_seq": followed.seq, "limit": 1}
    try:
        async with asyncio.timeout(TIMEOUT_S):
            answer = await client.get_json(followed.producer, "/internal/journal", after)
        page = JournalPage.model_validate(answer)
    except (Unavailable, TimeoutError, httpx.HTTPError, ValidationError):
        return UNKNOWN
    oldest_left = min((entry.recorded_at for entry in page.entries), default=None)
    return freshness_of(followed, oldest_left, page.head_seq, now)
