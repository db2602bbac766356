"""What the lines of a call name: judged by the ledger's own rules, as if nothing lay there.

So an item, a place, a unit, a lot or a time is refused here with the words, and for the reasons,
of any movement. How much lies there is no reason to refuse what somebody saw.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.counts import queries
from services.inventory.counts.schemas import CountEntryCreate, EntryFault
from services.inventory.ledger import service as ledger
from services.inventory.ledger.rules import (
    NO_LOT,
    Balance,
    Change,
    Kind,
    Level,
    Outcome,
    item_reference,
    judge,
    lot_name,
    place_reference,
)
from services.inventory.periods.service import find_open_from
from shared.db import driver_connection
from shared.errors import Problem
from shared.ids import new_id
from shared.principal import Places


class Naming(NamedTuple):
    """Who names something, what he may know of, and when."""

    actor: str
    places: Places
    now: datetime


class NamedEntry(NamedTuple):
    """Of which level a line is, what it says in stock units, in which unit, and of when."""

    level: Level
    quantity: Decimal | None
    unit: str | None
    counted_at: datetime


class NamedEntries(NamedTuple):
    """What each line says, or why it says nothing; None of a line that is no valid one."""

    entries: Sequence[NamedEntry | Problem | None]
    categories: Mapping[UUID, UUID | None]  # By item.


class _Empty(dict[Level, Balance]):
    """Levels at which nothing lies, whatever was judged before."""

    def __missing__(self, level: Level) -> Balance:
        return Balance()


async def named_entries(
    session: AsyncSession, lines: Sequence[CountEntryCreate | EntryFault], naming: Naming
) -> NamedEntries:
    """Return what the lines say."""
    changes = [_change(line, naming) if isinstance(line, CountEntryCreate) else None
               for line in lines]  # fmt: skip
    asked = [change for change in changes if change is not None]
    named = {(c.item, c.place, c.lot.key if c.lot else None): None for c in asked}
    found = await queries.find_spots(session, named)
    open_from = None
    if any(change.occurred_at is not None for change in asked):
        open_from = await find_open_from(await driver_connection(session))
    entries: list[NamedEntry | Problem | None] = []
    for line, change in zip(lines, changes, strict=True):
        if change is None or isinstance(line, EntryFault):
            entries.append(None)
            continue
        [outcome] = judge(
            [change], found.spots, _Empty(), naming.now, atomic=False, open_from=open_from,
            lots=found.lots,
        )  # fmt: skip
        entries.append(_named(line, outcome))
    return NamedEntries(entries, found.categories)


def _change(line: CountEntryCreate, naming: Naming) -> Change:
    return Change(
        id=new_id(),
        kind=Kind.COUNT_CORRECTION,
        item=item_reference(line.item),
        place=place_reference(line.location),
        actor=naming.actor,
        request_id="",
        counted=Decimal(0) if line.quantity is None else line.quantity,
        occurred_at=line.counted_at,
        unit=line.unit,
        places=naming.places,
        lot=None if line.lot is None else lot_name(line.lot),
    )


def _named(line: CountEntryCreate, outcome: Outcome) -> NamedEntry | Problem:
    if outcome.refusal is not None:
        return ledger.problem_of(outcome)
    spot, lot = outcome.spot, outcome.parts[0].lot
    if spot.item_id is None or spot.place_id is None or outcome.occurred_at is None:
        raise AssertionError("what is not refused was found")
    return NamedEntry(
        level=(spot.item_id, spot.place_id, NO_LOT if lot is None else lot.id),
        quantity=None if line.quantity is None else outcome.balance,
        unit=outcome.given_unit.unit if outcome.given_unit is not None else None,
        counted_at=outcome.occurred_at,
    )
