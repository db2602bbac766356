"""Opening a count: what it covers, and the list of what is to be counted."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.categories.service import get_named_category
from services.inventory.counts import queries
from services.inventory.counts.errors import CountTooLarge
from services.inventory.counts.models import Count
from services.inventory.counts.rules import LINES_MAX, CountState
from services.inventory.counts.schemas import CountCreate
from services.inventory.counts.service.proposing import list_most_overdue
from services.inventory.counts.service.scopes import Scope, bounds_of
from services.inventory.items.errors import ItemNotFound
from services.inventory.ledger.rules import item_reference
from services.inventory.locations.service import get_named_location, places_of
from shared import journal
from shared.contracts.inventory.counts import CountOpened
from shared.db import get_database_time
from shared.ids import new_id
from shared.principal import Places, Principal
from shared.security.sealing import Sealer


async def open_count(
    session: AsyncSession,
    sealer: Sealer,
    wanted: CountCreate,
    *,
    caller: Principal,
    now: datetime,
) -> Count:
    """Open a count with a line for each level with stock that it covers.

    Of a cycle count these are the most overdue, in the order of walking as all are.

    It stops no movement. Raises LocationNotFound, CategoryNotFound, ItemNotFound, CountTooLarge.
    """
    places = await places_of(session, caller)
    opened_at = await get_database_time(session)  # Of the ledger, by whose clock it is netted.
    scope = await _scope_of(session, wanted, places)
    covered = await bounds_of(session, scope, places)
    if wanted.cycle is None:
        found = await queries.list_levels(session, covered, limit=LINES_MAX + 1)
    else:
        found = await list_most_overdue(
            session, sealer, wanted.cycle, covered, caller=caller, now=now
        )
    if len(found) > LINES_MAX:
        raise CountTooLarge(lines_max=LINES_MAX)
    count = Count(
        id=new_id(),
        title=wanted.title,
        scope=scope.stored(),
        blind=wanted.blind,
        tolerance_percent=wanted.tolerance_percent,
        tolerance_quantity=wanted.tolerance_quantity,
        state=CountState.OPEN,
        last_line=len(found),
        opened_at=opened_at,
        opened_by=caller.actor,
        version=1,
    )
    session.add(count)
    journal.record(
        session,
        CountOpened(
            count_id=count.id,
            title=count.title,
            blind=count.blind,
            locations=list(scope.locations),
            with_children=scope.with_children,
            categories=list(scope.categories),
            items=list(scope.items),
            lines=count.last_line,
            tolerance_percent=count.tolerance_percent,
            tolerance_quantity=count.tolerance_quantity,
        ),
    )
    await session.flush()  # Its lines refer to it.
    walked = sorted(found, key=lambda row: (row["location"], row["item"], row["lot"] or ""))
    levels = [(row["item_id"], row["location_id"], row["lot_id"]) for row in walked]
    await queries.add_lines(session, count.id, levels, first=1, is_found=False)
    return count


async def _scope_of(session: AsyncSession, wanted: CountCreate, places: Places) -> Scope:
    locations = [
        (await get_named_location(session, name, places=places)).id for name in wanted.locations
    ]
    categories = [(await get_named_category(session, name)).id for name in wanted.categories]
    found = await queries.find_item_ids(session, [item_reference(each) for each in wanted.items])
    for name, item_id in zip(wanted.items, found, strict=True):
        if item_id is None:
            raise ItemNotFound(item=name)
    return Scope(
        tuple(dict.fromkeys(locations)),
        wanted.with_children,
        tuple(dict.fromkeys(categories)),
        tuple(dict.fromkeys(each for each in found if each is not None)),
    )
