"""Movements against the database: as one statement, or judged line by line under lock."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.inventory.movements.queries.statement import (
    APPLY,
    ENSURE_LEVELS,
    LOCK_LEVELS,
    RESOLVE,
)
from services.inventory.movements.rules import Level, Wish, crowded_items, judge

NO_LOT = UUID(int=0)
NOTHING = Decimal(0)


class Line(NamedTuple):
    """One movement to apply: its new id, what it does, and who asked for it.

    Its fields, without the last, are what the statement takes a column of each.
    """

    id: UUID
    kind: str
    item_code: str | None
    item_id: UUID | None
    location: str
    to_location: str | None
    change: Decimal | None  # Signed, at `location`; None for a count.
    cost_id: UUID | None
    amount: bytes | None  # The sealed unit cost that the movement brings.
    reason: str | None
    reference: str | None
    occurred_at: datetime
    actor: str
    request_id: str
    key: str | None = None
    fingerprint: bytes | None = None
    counted: Decimal | None = None


class Outcome(NamedTuple):
    """What became of a line: what the statement returns of each, behind its number.

    status is applied, refused, held_back (another line of an atomic call failed), kept (its
    Idempotency-Key was answered before), unknown_item, retired_item, unknown_location or
    unknown_to_location.
    """

    status: str
    item_id: UUID | None = None
    code: str | None = None
    location_id: UUID | None = None
    change: Decimal | None = None
    balance: Decimal | None = None
    available: Decimal | None = None
    cost_id: UUID | None = None
    cost_sealed: bytes | None = None
    recorded_at: datetime | None = None
    kept_fingerprint: bytes | None = None
    kept_movement: UUID | None = None


async def apply(
    connection: asyncpg.Connection,
    lines: Sequence[Line],
    now: datetime,
    *,
    atomic: bool = False,
    with_cost: bool = False,
) -> list[Outcome]:
    """Apply the lines in their order and return an outcome for each.

    The statement alone settles almost all. Counts, first receipts at a place, and items that
    several lines wanted in vain are then judged under lock, in a transaction.
    """
    everything = range(len(lines))
    outcomes: dict[int, Outcome] = {}
    left = set(everything)
    if all(line.counted is None for line in lines):
        outcomes = await _apply_once(connection, lines, everything, now, atomic, with_cost)
        left = _to_be_judged(outcomes, atomic=atomic)
    if left:
        outcomes |= await _apply_judged(connection, lines, sorted(left), now, atomic, with_cost)
    return [outcomes[number] for number in everything]


def _to_be_judged(outcomes: dict[int, Outcome], *, atomic: bool) -> set[int]:
    """Return the lines whose fate one statement could not decide."""
    missing = {o.item_id for o in outcomes.values() if o.status == "level_missing"}
    if atomic:
        refused = any(o.status == "refused" for o in outcomes.values())
        return set(outcomes) if missing or (refused and len(outcomes) > 1) else set()
    crowded = crowded_items(
        (o.item_id, o.status == "refused") for o in outcomes.values() if o.item_id is not None
    )
    return {
        number
        for number, o in outcomes.items()
        if o.status in {"refused", "level_missing"} and o.item_id in crowded | missing
    }


async def _apply_judged(
    connection: asyncpg.Connection,
    lines: Sequence[Line],
    numbers: Sequence[int],
    now: datetime,
    atomic: bool,  # noqa: FBT001 - passed on from `apply`.
    with_cost: bool,  # noqa: FBT001 - same.
) -> dict[int, Outcome]:
    async with connection.transaction():
        wishes = await _resolve(connection, lines, numbers)
        levels = await _lock_levels(connection, wishes)
        verdicts = {v.number: v for v in judge(wishes, levels, atomic=atomic)}
        unresolved = set(numbers) - verdicts.keys()
        if atomic and (unresolved or not all(v.granted for v in verdicts.values())):
            granted: list[int] = []
        else:
            granted = [
                number for number in numbers if number in verdicts and verdicts[number].granted
            ]
        settled = list(lines)
        for number in numbers:
            change = verdicts[number].change if number in verdicts else NOTHING
            settled[number] = lines[number]._replace(change=change, counted=None)
        wanted = sorted({*granted, *unresolved})
        outcomes = await _apply_once(connection, settled, wanted, now, atomic, with_cost)
    for wish in wishes:
        if wish.number not in outcomes:
            verdict = verdicts[wish.number]
            short = not _is_enough(verdict.change, verdict.available)
            outcomes[wish.number] = Outcome(
                "refused" if short else "held_back",
                item_id=wish.item_id,
                code=lines[wish.number].item_code,
                location_id=wish.place,
                change=verdict.change,
                available=max(verdict.available, NOTHING),
            )
    return outcomes


def _is_enough(change: Decimal, available: Decimal) -> bool:
    return available + change >= 0


async def _resolve(
    connection: asyncpg.Connection, lines: Sequence[Line], numbers: Sequence[int]
) -> list[Wish]:
    chosen = [lines[number] for number in numbers]
    rows = await connection.fetch(
        RESOLVE,
        list(numbers),
        [line.item_code for line in chosen],
        [line.item_id for line in chosen],
        [line.location for line in chosen],
        [line.to_location for line in chosen],
    )
    return [
        Wish(
            number=row["n"],
            item_id=row["item_id"],
            place=row["place"],
            change=lines[row["n"]].change,
            counted=lines[row["n"]].counted,
            counterplace=row["counterplace"],
        )
        for row in sorted(rows, key=lambda row: row["n"])
    ]


async def _lock_levels(
    connection: asyncpg.Connection, wishes: Sequence[Wish]
) -> dict[tuple[UUID, UUID], Level]:
    touched = {(wish.item_id, wish.place) for wish in wishes}
    touched |= {(w.item_id, w.counterplace) for w in wishes if w.counterplace is not None}
    items, places = [item for item, _ in touched], [place for _, place in touched]
    await connection.execute(ENSURE_LEVELS, items, places)
    rows = await connection.fetch(LOCK_LEVELS, items, places, NO_LOT)
    return {
        (row["item_id"], row["location_id"]): Level(row["on_hand"], row["reserved"]) for row in rows
    }


async def _apply_once(
    connection: asyncpg.Connection,
    lines: Sequence[Line],
    numbers: Sequence[int],
    now: datetime,
    atomic: bool,  # noqa: FBT001 - a parameter of the statement.
    with_cost: bool,  # noqa: FBT001 - same.
) -> dict[int, Outcome]:
    if not numbers:
        return {}
    *columns, _counted = zip(*(lines[number] for number in numbers), strict=True)
    # A column of nulls is sent empty: unnest fills it up, and each element sent takes its time.
    sent = [() if column.count(None) == len(column) else column for column in columns]
    rows = await connection.fetch(APPLY, numbers, *sent, NO_LOT, atomic, now, with_cost)
    return {row[0]: Outcome._make(row[1:]) for row in rows}
