"""Entering what was counted: all lines of a call or none, and all that is wrong at once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.approvals import service as approvals
from services.inventory.approvals.rules import StaleCause
from services.inventory.counts import queries
from services.inventory.counts.errors import (
    CountClosed,
    CountLinesRefused,
    CountTooLarge,
    EntryIdUsed,
    OutsideCount,
    RecountByAnother,
)
from services.inventory.counts.models import Count
from services.inventory.counts.queries import LineFigure, NewEntry
from services.inventory.counts.rules import (
    LINES_MAX,
    CountState,
    Entered,
    figure_of,
    instants_of,
)
from services.inventory.counts.schemas import (
    CountEnteredRead,
    CountEntryCreate,
    CountLinesCreate,
    EntryFault,
)
from services.inventory.counts.service.naming import Naming, named_entries
from services.inventory.counts.service.proving import digest_of, proofs_of
from services.inventory.counts.service.reading import entered, get_known_count
from services.inventory.counts.service.scopes import Scope, bounds_of
from services.inventory.ledger.rules import Level
from services.inventory.locations.service import places_of
from shared import journal
from shared.contracts.inventory.counts import CountEntered
from shared.errors import Problem, ValidationFailed
from shared.etag import require_match
from shared.i18n.validation import located, validation_errors
from shared.ids import new_id
from shared.principal import Principal


class Said(NamedTuple):
    """What a line of the call says, with what it names."""

    wanted: CountEntryCreate
    level: Level
    quantity: Decimal | None  # In stock units.
    unit: str | None  # The one that was named.
    counted_at: datetime
    unseen: str | None  # The serial, if it was never seen before.


async def enter_lines(
    session: AsyncSession,
    count_id: UUID,
    wanted: CountLinesCreate,
    if_match: str | None,
    *,
    caller: Principal,
    language: str,
    now: datetime,
) -> CountEnteredRead:
    """Enter what was counted; what was entered before changes nothing.

    Raises CountNotFound, CountClosed, PreconditionFailed, CountTooLarge, CountLinesRefused with
    every line that cannot be entered.
    """
    places = await places_of(session, caller)
    count = await get_known_count(session, count_id, places, caller=caller, is_locked=True)
    if count.state != CountState.OPEN:
        raise CountClosed(state=count.state)
    require_match(if_match, count.version)
    lines = wanted.read_lines
    naming = Naming(caller.actor, places, now)
    found = await named_entries(session, lines, naming)
    said: dict[int, Said] = {}
    faults: dict[int, EntryFault | Problem] = {}
    for number, (line, named) in enumerate(zip(lines, found.entries, strict=True)):
        if isinstance(line, EntryFault):
            faults[number] = line
        elif isinstance(named, Problem):
            faults[number] = named
        elif named is not None:
            said[number] = Said(line, *named)
    new = await _new_ones(session, count, said, faults, caller)
    rows = await queries.find_lines(session, count.id, {each.level for each in new.values()})
    covered = await bounds_of(session, Scope.read(count.scope), None)
    for number, each in new.items():
        item_id, place_id, _ = each.level
        is_covered = covered.has(item_id, found.categories.get(item_id), place_id)
        if each.level not in rows and not is_covered:
            faults[number] = OutsideCount(item=each.wanted.item, location=each.wanted.location)
    await _refuse_same_counter(session, count, new, rows, faults, caller)
    if faults:
        raise _refusal(faults, language)
    return await _write(session, count, list(new.values()), rows, len(lines), caller, now)


async def _new_ones(
    session: AsyncSession,
    count: Count,
    said: Mapping[int, Said],
    faults: dict[int, EntryFault | Problem],
    caller: Principal,
) -> dict[int, Said]:
    """Return what was not entered before under the same id; under it, only the same can be."""
    ids = {each.wanted.id for each in said.values() if each.wanted.id is not None}
    known: dict[UUID, Said | RowMapping] = dict(
        await queries.find_known_entries(session, count.id, ids) if ids else {}
    )
    new: dict[int, Said] = {}
    for number, each in said.items():
        entry_id = each.wanted.id
        before = None if entry_id is None else known.get(entry_id)
        if before is None:
            new[number] = each
            if entry_id is not None:
                known[entry_id] = each
        elif not _is_same(each, before, caller):
            faults[number] = EntryIdUsed(entry=str(entry_id))
    return new


def _is_same(said: Said, before: Said | RowMapping, caller: Principal) -> bool:
    """Say whether two entries say the same; what named no time may have come at any."""
    if isinstance(before, Said):
        told = (before.level, before.quantity, before.wanted.add, before.counted_at, caller.id)
    else:
        level = before["item_id"], before["location_id"], before["lot_id"]
        told = (level, before["quantity"], before["adds"], before["counted_at"],
                before["counter_id"])  # fmt: skip
    at = told[3] if said.wanted.counted_at is None else said.counted_at
    return told == (said.level, said.quantity, said.wanted.add, at, caller.id)


async def _refuse_same_counter(
    session: AsyncSession,
    count: Count,
    new: Mapping[int, Said],
    rows: Mapping[Level, RowMapping],
    faults: dict[int, EntryFault | Problem],
    caller: Principal,
) -> None:
    """Let nobody count a line again that he counted before, unless that was allowed."""
    again = {row["number"] for row in rows.values() if row["round"] > 1 and not row["same_counter"]}
    if not again:
        return
    own = await queries.find_counted_before(session, count.id, again, caller.id)
    for number, each in new.items():
        row = rows.get(each.level)
        if row is not None and row["number"] in own:
            faults[number] = RecountByAnother(item=each.wanted.item, location=each.wanted.location)


async def _write(
    session: AsyncSession,
    count: Count,
    new: Sequence[Said],
    rows: Mapping[Level, RowMapping],
    sent: int,
    caller: Principal,
    now: datetime,
) -> CountEnteredRead:
    counted = [row["number"] for row in rows.values() if row["counted"] is not None]
    earlier: dict[int, list[RowMapping]] = defaultdict(list)
    rounds = {row["number"]: row["round"] for row in rows.values()}
    for entry in await queries.list_entries(session, count.id, counted) if counted else ():
        if entry["round"] == rounds[entry["number"]]:
            earlier[entry["number"]].append(entry)
    numbers = {level: row["number"] for level, row in rows.items()}
    new = [each for each in new if not _was_said(each, earlier[numbers.get(each.level, 0)], caller)]
    if not new:
        return CountEnteredRead(entered=0, unchanged=sent, found=0, version=count.version)
    found = list(dict.fromkeys(each.level for each in new if each.level not in numbers))
    if count.last_line + len(found) > LINES_MAX:
        raise CountTooLarge(lines_max=LINES_MAX)
    unseen = {each.level[2]: each.unseen for each in new if each.unseen is not None}
    await queries.add_lines(
        session, count.id, found, first=count.last_line + 1, is_found=True, unseen=unseen
    )
    numbers |= {level: n for n, level in enumerate(found, start=count.last_line + 1)}
    entries = [_entry(each, numbers[each.level], rounds) for each in new]
    await queries.add_entries(
        session, count.id, entries, counter=caller.actor, counter_id=caller.id, now=now
    )
    await _write_figures(session, count, new, numbers, earlier, caller)
    count.last_line += len(found)
    count.version += 1
    journal.record(
        session,
        CountEntered(
            count_id=count.id,
            entries=len(entries),
            lines=len({entry.number for entry in entries}),
            found=len(found),
            digest=digest_of(entries),
            proofs=proofs_of(entries, caller.id),
        ),
    )
    await approvals.close_overtaken(session, [count.id], StaleCause.CONTENT, now=now)
    return CountEnteredRead(
        entered=len(entries),
        unchanged=sent - len(entries),
        found=len(found),
        version=count.version,
    )


def _was_said(said: Said, earlier: Iterable[RowMapping], caller: Principal) -> bool:
    """Say whether an entry without an id says what its counter said last of the same instant."""
    if said.wanted.id is not None or said.wanted.counted_at is None:
        return False
    own = [
        (each["quantity"], each["adds"])
        for each in earlier
        if (each["counter_id"], each["counted_at"]) == (caller.id, said.counted_at)
    ]
    return own[-1:] == [(said.quantity, said.wanted.add)]


def _entry(said: Said, number: int, rounds: Mapping[int, int]) -> NewEntry:
    return NewEntry(
        id=said.wanted.id or new_id(),
        number=number,
        round=rounds.get(number, 1),
        quantity=said.quantity,
        adds=said.wanted.add,
        given_quantity=None if said.unit is None else said.wanted.quantity,
        given_unit=said.unit,
        counted_at=said.counted_at,
    )


async def _write_figures(
    session: AsyncSession,
    count: Count,
    new: Sequence[Said],
    numbers: Mapping[Level, int],
    earlier: Mapping[int, Sequence[RowMapping]],
    caller: Principal,
) -> None:
    """Write what the entries of each line that was touched say together."""
    entries: dict[Level, list[Entered]] = {}
    for order, each in enumerate(new):
        if each.level not in entries:
            before = earlier.get(numbers[each.level], ())
            entries[each.level] = [entered(row) for row in before]
        seq = (1 << 62) + order  # After all that was written before.
        entries[each.level].append(
            Entered(caller.id, each.quantity, each.wanted.add, each.counted_at, seq)
        )
    asked = [(level, at) for level, all_of_it in entries.items() for at in instants_of(all_of_it)]
    stock = await queries.find_stock_then(session, asked)
    lay: dict[Level, dict[datetime, Decimal]] = defaultdict(dict)
    for (level, at), there in zip(asked, stock, strict=True):
        lay[level][at] = there
    figures: dict[Level, LineFigure] = {}
    for level, all_of_it in entries.items():
        figure = figure_of(all_of_it, lay[level])
        figures[level] = LineFigure(numbers[level], *(figure or ()))
    await queries.write_figures(session, count.id, figures)


def _refusal(faults: Mapping[int, EntryFault | Problem], language: str) -> Problem:
    results: list[dict[str, object]] = []
    for number, fault in sorted(faults.items()):
        if isinstance(fault, Problem):
            code, message = fault.code, fault.detail_in(language)
        else:
            errors, _more = validation_errors(fault.errors, language)
            code = ValidationFailed().code
            message = " ".join(located(each, language) for each in errors)
        results.append({"line": number, "code": code, "message": message})
    return CountLinesRefused(refused=len(results), results=results)
