"""Lock, judge, write: any number of movements in the transaction of a connection."""

from base64 import b64encode
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from services.inventory.ledger import queries
from services.inventory.ledger.queries import KeptAnswer, LedgerEntry, Locked
from services.inventory.ledger.rules import (
    NO_LOT,
    Balance,
    Change,
    Level,
    Outcome,
    Part,
    Spot,
    Timeline,
    judge,
    late_levels,
)
from services.inventory.ledger.service.dating import find_open_from
from services.inventory.ledger.service.explaining import explained
from services.inventory.ledger.service.locking import lock_all
from services.inventory.ledger.service.off_loop import off_loop
from shared.money import plain


async def apply_changes(
    connection: asyncpg.Connection, changes: Sequence[Change], *, atomic: bool = False
) -> list[Outcome | KeptAnswer]:
    """Apply the changes in their order and return what became of each.

    That is an outcome, or what its Idempotency-Key was answered with before. Works in the
    transaction that is open; its end gives the locks back. An atomic call applies all or none.
    """
    if not changes:
        return []
    while True:
        locked = await lock_all(connection, changes)
        kept = await _find_kept(connection, changes)
        wanted = [change for change in changes if change.id not in kept] if kept else changes
        outcomes = await _judged(connection, wanted, locked, atomic=atomic)
        granted = [outcome for outcome in outcomes if outcome.refusal is None]
        # Somebody else may have received a lot of the same name meanwhile: then it is his.
        if not granted or await queries.add_lots(connection, locked.lots.received):
            break
    outcomes = await explained(connection, outcomes)
    if granted:
        size = sum(len(outcome.parts) for outcome in granted)
        entries = await off_loop(size, _entries, granted)
        touched, serials = _touched(entries, locked), _serials_of(granted)
        await queries.write(connection, entries, touched, locked.now, serials=serials)
    if not kept:
        return list(outcomes)
    decided = iter(outcomes)
    return [kept[change.id] if change.id in kept else next(decided) for change in changes]


async def foresee_changes(
    connection: asyncpg.Connection, changes: Sequence[Change], *, atomic: bool = False
) -> list[Outcome]:
    """Return what would become of the changes; what they touch stays locked, nothing is written."""
    if not changes:
        return []
    locked = await lock_all(connection, changes)
    outcomes = await _judged(connection, changes, locked, atomic=atomic)
    return await explained(connection, outcomes)


async def _judged(
    connection: asyncpg.Connection, changes: Sequence[Change], locked: Locked, *, atomic: bool
) -> list[Outcome]:
    open_from = None
    if any(change.occurred_at is not None for change in changes):
        await _bring_timelines(connection, changes, locked)
        open_from = await find_open_from(connection)
    known = changes, locked.spots, locked.balances, locked.now
    return await off_loop(_size_of(changes), judge, *known, atomic, open_from, locked.lots)


async def _find_kept(
    connection: asyncpg.Connection, changes: Sequence[Change]
) -> dict[UUID, KeptAnswer]:
    """Return, by change, what its Idempotency-Key was answered with before.

    Looked for under lock: a request with the same key may just have been answered elsewhere.
    """
    keyed = {(c.actor, c.key): c.id for c in changes if c.key is not None}
    if not keyed:
        return {}
    kept = await queries.find_kept(connection, list(keyed))
    return {keyed[name]: answer for name, answer in kept.items()}


async def _bring_timelines(
    connection: asyncpg.Connection, changes: Sequence[Change], locked: Locked
) -> None:
    """Give each level that a late change touches its history since then."""
    late = late_levels(changes, locked.spots, locked.balances, locked.now, locked.lots)
    if not late:
        return
    since = await queries.list_changes_since(connection, late)
    for level, history in since.items():
        balance = locked.balances[level]
        opening = balance.on_hand - sum((quantity for _, quantity in history), Decimal(0))
        instants = [*late[level].instants, locked.now]
        balance.timeline = await off_loop(
            len(history) + len(instants), Timeline, opening, history, instants
        )


def _entries(granted: Sequence[Outcome]) -> list[LedgerEntry]:
    entries: list[LedgerEntry] = []
    for outcome in granted:
        leg = 0
        for part in outcome.parts:
            entries.append(_entry(outcome, leg, outcome.spot, part, part.quantity, part.balance))
            leg += 1
            if outcome.counterspot is not None:
                counter = outcome.counterspot, part, -part.quantity, part.counterbalance
                entries.append(_entry(outcome, leg, *counter))
                leg += 1
    return entries


def _touched(entries: Sequence[LedgerEntry], locked: Locked) -> dict[Level, Balance]:
    """Return the levels that were changed, as they are now."""
    levels = {(entry.item_id, entry.location_id, entry.lot_id) for entry in entries}
    if any(locked.balances[level].on_hand < 0 for level in levels):
        raise AssertionError("a level below zero was about to be written")
    return {level: locked.balances[level] for level in levels}


def _serials_of(granted: Sequence[Outcome]) -> set[UUID]:
    """Return the lots that are serials among those that moved."""
    with_serials = (outcome for outcome in granted if outcome.spot.has_serials)
    found = {part.lot.id for outcome in with_serials for part in outcome.parts if part.lot}
    return found - {NO_LOT}


def _size_of(changes: Sequence[Change]) -> int:
    """Return how many levels the changes are about, or more or less."""
    return sum(max(1, len(change.serials or ()), len(change.shares)) for change in changes)


def _entry(
    outcome: Outcome, leg: int, spot: Spot, part: Part, moved: Decimal, balance: Decimal
) -> LedgerEntry:
    change, quantity, balance_after = outcome.change, plain(moved), plain(balance)
    if spot.item_id is None or spot.place_id is None or outcome.occurred_at is None:
        raise AssertionError("only what was found can be granted")
    cost_id, given = change.cost_id or spot.cost_id, outcome.given_unit
    # In the shape of shared.contracts.inventory.movements.StockMoved; a contract test compares.
    data = {
        "movement_id": change.id,
        "leg": leg,
        "kind": change.kind,
        "item_id": str(spot.item_id),
        "code": spot.code,
        "location_id": str(spot.place_id),
        "location": spot.place,
        "quantity": quantity,
        "balance_after": balance_after,
        "cost_id": None if cost_id is None else str(cost_id),
        "amount_sealed": b64encode(change.amount).decode() if change.amount is not None else None,
        "reason_code": change.reason_code,
        "reason": change.reason,
        "reference": change.reference,
        "occurred_at": outcome.occurred_at,
        "backdated": outcome.is_backdated,
    } | _particulars(outcome, part)
    return LedgerEntry(
        id=change.id,
        leg=leg,
        kind=change.kind,
        item_id=spot.item_id,
        location_id=spot.place_id,
        lot_id=NO_LOT if part.lot is None else part.lot.id,
        quantity=quantity,
        balance_after=balance_after,
        cost_id=cost_id,
        reason_code=change.reason_code,
        reason=change.reason,
        reference=change.reference,
        actor=change.actor,
        occurred_at=outcome.occurred_at,
        backdated=outcome.is_backdated,
        given_quantity=None if given is None else plain(change.asked),
        given_unit=None if given is None else given.unit,
        reverses=None if change.reverses is None else change.reverses.movement_id,
        part_of=change.part_of,
        request_id=change.request_id,
        data=orjson.dumps(data).decode(),
        amount=change.amount,
        key=change.key,
        fingerprint=change.fingerprint,
    )


def _particulars(outcome: Outcome, part: Part) -> dict[str, Any]:
    """Return what the entry says of a reversal, an assembly, a lot, and a unit that was named."""
    change, lot, given = outcome.change, part.lot, outcome.given_unit
    found: dict[str, Any] = {}
    if change.reverses is not None:
        found |= {
            "reverses": str(change.reverses.movement_id),
            "reversed_kind": change.reverses.kind,
            "reversed_at": change.reverses.occurred_at,
        }
    if change.part_of is not None:
        found["part_of"] = str(change.part_of)
    if lot is not None and lot.id != NO_LOT:
        found["lot_id"] = str(lot.id)
        if outcome.spot.has_serials:
            found["serial"] = lot.code
        else:
            found |= {"lot": lot.code, "expires_on": lot.expires_on}
    if given is not None:
        found |= {"given_quantity": plain(change.asked), "given_unit": given.unit}
    return found
