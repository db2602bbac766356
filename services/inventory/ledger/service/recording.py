"""Lock, judge, write: any number of movements in the transaction of a connection."""

import asyncio
from base64 import b64encode
from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

import asyncpg
import orjson

from services.inventory.ledger import queries
from services.inventory.ledger.queries import KeptAnswer, LedgerEntry, Locked, Pair
from services.inventory.ledger.rules import (
    Balance,
    Change,
    Outcome,
    Spot,
    Timeline,
    judge,
    late_levels,
)
from services.inventory.ledger.service.explaining import explained
from services.inventory.periods.service import find_open_from
from shared.money import plain

OFF_LOOP_FROM = 500  # So many changes at once are worked on in a thread: others go on meanwhile.
T = TypeVar("T")


async def apply_changes(
    connection: asyncpg.Connection, changes: Sequence[Change], *, atomic: bool = False
) -> list[Outcome | KeptAnswer]:
    """Apply the changes in their order and return what became of each.

    That is an outcome, or what its Idempotency-Key was answered with before. Works in the
    transaction that is open; its end gives the locks back. An atomic call applies all or none.
    """
    if not changes:
        return []
    locked = await _lock(connection, changes)
    kept = await _find_kept(connection, changes)
    wanted = [change for change in changes if change.id not in kept] if kept else changes
    open_from = None
    if any(change.occurred_at is not None for change in wanted):
        open_from = await find_open_from(connection)
        await _bring_timelines(connection, wanted, locked)
    known = wanted, locked.spots, locked.balances, locked.now
    outcomes = await _off_loop(len(wanted), judge, *known, atomic, open_from)
    outcomes = await explained(connection, outcomes)
    granted = [outcome for outcome in outcomes if outcome.refusal is None]
    moved = [outcome for outcome in granted if outcome.change.holds_until is None]
    if moved:
        entries = await _off_loop(len(moved), _entries, moved)
        await queries.write(connection, entries, _touched(entries, locked), locked.now)
    if len(moved) < len(granted):
        await queries.write_reserved(connection, _held_at(granted, locked))
    if not kept:
        return list(outcomes)
    decided = iter(outcomes)
    return [kept[change.id] if change.id in kept else next(decided) for change in changes]


async def lock_levels(connection: asyncpg.Connection, pairs: Collection[Pair]) -> Locked:
    """Find and lock what is named; whatever was held there and has expired is given back."""
    locked = await queries.lock(connection, pairs)
    await _expire_holds(connection, locked)
    return locked


async def _lock(connection: asyncpg.Connection, changes: Sequence[Change]) -> Locked:
    """Lock what the changes touch, with the levels that some of them are the first to fill."""
    pairs = {(change.item, change.place): None for change in changes}
    pairs |= {(c.item, c.counterplace): None for c in changes if c.counterplace is not None}
    locked = await queries.lock(connection, pairs)
    if locked.missing and not all(_only_takes(change) for change in changes):
        await queries.ensure_levels(connection, locked.missing)
        locked = await queries.lock(connection, pairs)
    await _expire_holds(connection, locked)
    return locked


async def _expire_holds(connection: asyncpg.Connection, locked: Locked) -> None:
    """Give back what was held until now, whether or not somebody has swept there yet."""
    due = [
        level
        for level, balance in locked.balances.items()
        if balance.holds_until is not None and balance.holds_until <= locked.now
    ]
    if due:
        left = await queries.expire_holds(connection, due, locked.now)
        for level, (reserved, holds_until) in left.items():
            locked.balances[level].reserved = reserved
            locked.balances[level].holds_until = holds_until


def _only_takes(change: Change) -> bool:
    """Say whether a change needs no level to be there that is not."""
    return change.quantity is not None and change.quantity < 0 and change.counterplace is None


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
    late = late_levels(changes, locked.spots, locked.balances, locked.now)
    if not late:
        return
    since = await queries.list_changes_since(connection, late)
    for level, history in since.items():
        balance = locked.balances[level]
        opening = balance.on_hand - sum((quantity for _, quantity in history), Decimal(0))
        instants = [*late[level].instants, locked.now]
        balance.timeline = await _off_loop(
            len(history) + len(instants), Timeline, opening, history, instants
        )


def _entries(granted: Sequence[Outcome]) -> list[LedgerEntry]:
    entries: list[LedgerEntry] = []
    for outcome in granted:
        entries.append(_entry(outcome, 0, outcome.spot, outcome.quantity, outcome.balance))
        if outcome.counterspot is not None:
            counter = outcome.counterspot, -outcome.quantity, outcome.counterbalance
            entries.append(_entry(outcome, 1, *counter))
    return entries


def _touched(entries: Sequence[LedgerEntry], locked: Locked) -> dict[tuple[UUID, UUID], Balance]:
    """Return the levels that were changed, as they are now."""
    levels = {(entry.item_id, entry.location_id) for entry in entries}
    if any(locked.balances[level].on_hand < 0 for level in levels):
        raise AssertionError("a level below zero was about to be written")
    return {level: locked.balances[level] for level in levels}


def _held_at(granted: Sequence[Outcome], locked: Locked) -> dict[tuple[UUID, UUID], Balance]:
    """Return the levels at which something was reserved, as they are now."""
    spots = [outcome.spot for outcome in granted if outcome.change.holds_until is not None]
    levels = {(s.item_id, s.place_id) for s in spots if s.item_id and s.place_id}
    return {level: locked.balances[level] for level in levels}


async def _off_loop(size: int, work: Callable[..., T], *arguments: object) -> T:
    """Return what the work gives; where there is much of it, without holding up the event loop."""
    if size < OFF_LOOP_FROM:
        return work(*arguments)
    return await asyncio.to_thread(work, *arguments)


def _entry(outcome: Outcome, leg: int, spot: Spot, moved: Decimal, balance: Decimal) -> LedgerEntry:
    change, quantity, balance_after = outcome.change, plain(moved), plain(balance)
    if spot.item_id is None or spot.place_id is None or outcome.occurred_at is None:
        raise AssertionError("only what was found can be granted")
    cost_id = change.cost_id or spot.cost_id
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
    }
    if change.reverses is not None:
        data |= {
            "reverses": str(change.reverses.movement_id),
            "reversed_kind": change.reverses.kind,
            "reversed_at": change.reverses.occurred_at,
        }
    given_quantity = given_unit = None
    if outcome.given_unit is not None:
        given_quantity, given_unit = plain(change.asked), outcome.given_unit.unit
        data |= {"given_quantity": given_quantity, "given_unit": given_unit}
    return LedgerEntry(
        id=change.id,
        leg=leg,
        kind=change.kind,
        item_id=spot.item_id,
        location_id=spot.place_id,
        quantity=quantity,
        balance_after=balance_after,
        cost_id=cost_id,
        reason_code=change.reason_code,
        reason=change.reason,
        reference=change.reference,
        actor=change.actor,
        occurred_at=outcome.occurred_at,
        backdated=outcome.is_backdated,
        given_quantity=given_quantity,
        given_unit=given_unit,
        reverses=None if change.reverses is None else change.reverses.movement_id,
        request_id=change.request_id,
        data=orjson.dumps(data).decode(),
        amount=change.amount,
        key=change.key,
        fingerprint=change.fingerprint,
    )
