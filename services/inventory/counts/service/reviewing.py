"""What a reviewer does before he posts: have lines counted again, or give the count up."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.approvals import service as approvals
from services.inventory.approvals.rules import StaleCause
from services.inventory.counts import queries
from services.inventory.counts.errors import CountClosed, NothingToRecount
from services.inventory.counts.models import Count
from services.inventory.counts.queries import LineFilter
from services.inventory.counts.rules import CountState, may_review
from services.inventory.counts.schemas import CountCancelCreate, RecountCreate
from services.inventory.counts.service.reading import get_known_count
from services.inventory.locations.service import places_of
from shared import journal
from shared.contracts.inventory.counts import CountCancelled, RecountAsked
from shared.errors import LocationNotAllowed, MissingScope
from shared.etag import require_match
from shared.principal import Principal

_REVIEW_SCOPE = "inventory:write"


async def get_open_count(
    session: AsyncSession, count_id: UUID, if_match: str | None, *, caller: Principal
) -> Count:
    """Return a count that the caller may review, locked.

    Raises CountNotFound, CountClosed, MissingScope, LocationNotAllowed, PreconditionFailed.
    """
    places = await places_of(session, caller)
    count = await get_known_count(session, count_id, places, caller=caller, is_locked=True)
    if not may_review(caller):
        raise MissingScope(scope=_REVIEW_SCOPE)
    if count.state != CountState.OPEN:
        raise CountClosed(state=count.state)
    require_match(if_match, count.version)
    if await queries.has_lines_elsewhere(session, count_id, places=places):
        raise LocationNotAllowed
    return count


async def ask_recount(
    session: AsyncSession,
    count_id: UUID,
    wanted: RecountCreate,
    if_match: str | None,
    *,
    caller: Principal,
    now: datetime,
) -> Count:
    """Let lines be counted again: by somebody else, who does not see what was counted first.

    What was said before is kept, and counts no more. Raises what `get_open_count` raises, and
    NothingToRecount.
    """
    count = await get_open_count(session, count_id, if_match, caller=caller)
    named = set(wanted.lines)
    lines = await queries.list_lines(session, count_id, LineFilter(show="counted"))
    numbers = [
        line["number"]
        for line in lines
        if line["number"] in named
        or (wanted.beyond_tolerance and line["beyond_tolerance"])
        or (wanted.disputed and line["disputed"])
    ]
    if not numbers or named - set(numbers):
        raise NothingToRecount
    await queries.ask_again(session, count_id, numbers, same_counter=wanted.same_counter)
    count.version += 1
    journal.record(
        session,
        RecountAsked(count_id=count.id, lines=numbers, same_counter=wanted.same_counter),
    )
    await approvals.close_overtaken(session, [count.id], StaleCause.CONTENT, now=now)
    return count


async def cancel_count(
    session: AsyncSession,
    count_id: UUID,
    wanted: CountCancelCreate,
    if_match: str | None,
    *,
    caller: Principal,
    now: datetime,
) -> Count:
    """Give a count up: stock stays as it is, and what was counted is kept as evidence.

    Nobody need approve it any more. Who opened it may do so too. Raises what `get_open_count`
    raises.
    """
    places = await places_of(session, caller)
    count = await get_known_count(session, count_id, places, caller=caller, is_locked=True)
    if count.opened_by != caller.actor:
        count = await get_open_count(session, count_id, if_match, caller=caller)
    if count.state != CountState.OPEN:
        raise CountClosed(state=count.state)
    require_match(if_match, count.version)
    count.state, count.reason = CountState.CANCELLED, wanted.reason
    count.closed_at, count.closed_by = max(now, count.opened_at), caller.actor
    count.version += 1
    journal.record(session, CountCancelled(count_id=count.id, reason=wanted.reason))
    await approvals.close_overtaken(session, [count.id], StaleCause.OVER, now=now)
    await session.flush()  # What is read from now on is of a closed count.
    return count
