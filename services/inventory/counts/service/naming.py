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
from services.inventory.counts.rules import unseen_serial
from services.inventory.counts.schemas import CountEntryCreate, EntryFault
from services.inventory.ledger import service as ledger
from services.inventory.ledger.rules import (
    NO_LOT,
    NOTHING,
    OUTSIDE,
    UNIT,
    Balance,
    Change,
    Kind,
    Level,
    Lot,
    Outcome,
    item_reference,
    judge,
    lot_name,
    place_reference,
)
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
    unseen: str | None  # The serial, if it was never seen before.


class NamedEntries(NamedTuple):
    """What each line says, or why it says nothing; None of a line that is no valid one."""

    entries: Sequence[NamedEntry | Problem | None]
    categories: Mapping[UUID, UUID | None]  # By item.


class _Empty(dict[Level, Balance]):
    """Levels at which nothing lies, whatever was judged before; serials are outside."""

    def __missing__(self, level: Level) -> Balance:
        return Balance(on_hand=UNIT if level[1] == OUTSIDE else NOTHING)


async def named_entries(
    session: AsyncSession, lines: Sequence[CountEntryCreate | EntryFault], naming: Naming
) -> NamedEntries:
    """Return what the lines say."""
    changes = [_change(line, naming) if isinstance(line, CountEntryCreate) else None
               for line in lines]  # fmt: skip
    asked = [change for change in changes if change is not None]
    named = {(c.item, c.place, _key(c)): None for c in asked}
    found = await queries.find_spots(session, named)
    open_from = None
    if any(change.occurred_at is not None for change in asked):
        open_from = await ledger.find_open_from(await driver_connection(session))
    unseen: dict[UUID, str] = {}
    entries: list[NamedEntry | Problem | None] = []
    for line, change in zip(lines, changes, strict=True):
        if change is None or isinstance(line, EntryFault):
            entries.append(None)
            continue
        spot = found.spots[change.item, change.place]
        for name in change.serials or () if spot.has_serials else ():
            if spot.item_id and (spot.item_id, name.key) not in found.lots.named:
                lot = Lot(unseen_serial(spot.item_id, name.key), name.text, is_new=True)
                found.lots.named[spot.item_id, name.key] = lot
                unseen[lot.id] = name.text
        [outcome] = judge(
            [change], found.spots, _Empty(), naming.now, atomic=False, open_from=open_from,
            lots=found.lots,
        )  # fmt: skip
        entries.append(_named(line, outcome, unseen))
    return NamedEntries(entries, found.categories)


def _key(change: Change) -> str | None:
    """Return the key of the lot or serial that is named."""
    for name in change.serials or ():
        return name.key
    return change.lot.key if change.lot is not None else None


def _change(line: CountEntryCreate, naming: Naming) -> Change:
    return Change(
        id=new_id(),
        kind=Kind.COUNT_CORRECTION,
        item=item_reference(line.item),
        place=place_reference(line.location),
        actor=naming.actor,
        request_id="",
        counted=_asked(line),
        occurred_at=line.counted_at,
        unit=line.unit,
        places=naming.places,
        lot=None if line.lot is None else lot_name(line.lot),
        serials=None if line.serial is None else (lot_name(line.serial),),
    )


def _asked(line: CountEntryCreate) -> Decimal:
    """Return what to judge: a serial that is not there is named as one that is."""
    if line.serial is not None:
        return UNIT
    return NOTHING if line.quantity is None else line.quantity


def _named(
    line: CountEntryCreate, outcome: Outcome, unseen: Mapping[UUID, str]
) -> NamedEntry | Problem:
    if outcome.refusal is not None:
        return ledger.problem_of(outcome)
    spot, lot = outcome.spot, outcome.parts[0].lot
    if spot.item_id is None or spot.place_id is None or outcome.occurred_at is None:
        raise AssertionError("what is not refused was found")
    lot_id = NO_LOT if lot is None else lot.id
    return NamedEntry(
        level=(spot.item_id, spot.place_id, lot_id),
        quantity=outcome.balance if line.quantity and line.serial is None else line.quantity,
        unit=outcome.given_unit.unit if outcome.given_unit is not None else None,
        counted_at=outcome.occurred_at,
        unseen=unseen.get(lot_id),
    )
