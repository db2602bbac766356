"""Judges a run by what its clients were told and by what the databases hold.

Pure functions over both, each in linear time (but for sorting); each gives the violations it found,
in words. FAULTS names their invariants I1 to I13.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

from tests.torture.agreements import (
    check_approvals,
    check_counts,
    check_durations,
    check_freezes,
    check_periods,
)
from tests.torture.answers import check_answers, check_forms
from tests.torture.history import History
from tests.torture.restarts import check_restarts
from tests.torture.snapshot import Entry, Row, Snapshot

SETUP = "setup."  # How request ids of what was there at first begin.
MOVED = "inventory.stock-moved.v1"
EXPIRED = "inventory.reservation-expired.v1"
SHOWN_MAX = 5  # Of one sort.
# From the decision, under the locks, that a reservation is in time, until its issue is recorded.
DECIDED_WITHIN = timedelta(seconds=5)  # The process may be stopped in between.

Check = Callable[[History, Snapshot], Iterator[str]]


def violations(history: History, snapshot: Snapshot) -> list[str]:
    """Return what is wrong, in words; nothing if all is well."""
    found: list[str] = []
    for check in CHECKS:
        own = list(check(history, snapshot))
        found += own[:SHOWN_MAX]
        if len(own) > SHOWN_MAX:
            found.append(f"... and {len(own) - SHOWN_MAX} more of {check.__name__}")
    return found


def check_recorded_order(_history: History, snapshot: Snapshot) -> Iterator[str]:
    """I1, I2: replayed in the order of recording, no level is ever below zero, and none differs."""
    stock: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for row in snapshot.rows:
        stock[row.level] += row.quantity
        if stock[row.level] < 0:
            yield f"I2: below zero after row {row.seq}: {stock[row.level]}"
        if stock[row.level] != row.balance_after:
            yield f"I1: row {row.seq} says {row.balance_after} after it, it was {stock[row.level]}"
    for level, (on_hand, reserved) in snapshot.levels.items():
        if on_hand != stock[level]:
            yield f"I1: {level} holds {on_hand}, its ledger {stock[level]}"
        if not 0 <= reserved <= on_hand:
            yield f"I2: {level} holds {on_hand} and reserves {reserved}"
    for level in stock.keys() - snapshot.levels.keys():
        yield f"I1: {level} has a ledger and no level"


def check_business_time(_history: History, snapshot: Snapshot) -> Iterator[str]:
    """I2: at the end of no instant of business time did less than nothing lie anywhere."""
    stock: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    ordered = sorted(snapshot.rows, key=lambda row: (row.level, row.occurred_at))
    for row, following in zip(ordered, [*ordered[1:], None], strict=True):
        stock[row.level] += row.quantity
        is_last = following is None or (following.level, following.occurred_at) != (
            row.level, row.occurred_at,
        )  # fmt: skip
        if is_last and stock[row.level] < 0:
            yield f"I2: {stock[row.level]} lay at {row.level} at {row.occurred_at}"


def check_conserved(_history: History, snapshot: Snapshot) -> Iterator[str]:
    """I1: what a transfer, or the reversal of one, takes from one place it brings to another."""
    legs: dict[str, list[Row]] = defaultdict(list)
    for row in snapshot.rows:
        legs[row.id].append(row)
    transfers = {of for of, rows in legs.items() if rows[0].kind == "transfer"}
    for of, rows in legs.items():
        is_transfer = of in transfers or rows[0].reverses in transfers
        if is_transfer and sum((row.quantity for row in rows), Decimal(0)):
            yield f"I1: transfer {of} made or lost stock: {[str(row.quantity) for row in rows]}"
        if sorted(row.leg for row in rows) != list(range(len(rows))):
            yield f"I3: movement {of} has the legs {[row.leg for row in rows]}"


def check_assemblies(_history: History, snapshot: Snapshot) -> Iterator[str]:
    """I1: who makes a kit, takes one apart or undoes that moves all that it is made of."""
    moved: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    wholes: dict[str, str] = {}
    for row in snapshot.rows:
        if row.part_of is not None:
            moved[row.part_of][row.item_id] += row.quantity
            if row.id == row.part_of:
                wholes[row.id] = row.item_id
    for of, items in moved.items():
        kit = wholes.get(of, "")
        made = items.get(kit, Decimal(0))
        expected = {kit: made} | {i: -made * n for i, n in snapshot.kits.get(kit, {}).items()}
        if dict(items) != expected:
            yield f"I1: assembly {of} moved {dict(items)}, and not {expected}"


def check_serials(_history: History, snapshot: Snapshot) -> Iterator[str]:
    """I2: a serial is in one place at most, after each movement and at each instant."""
    rows = [row for row in snapshot.rows if row.lot_id in snapshot.serials]
    yield from _in_one_place(rows, lambda row: (row.lot_id, row.id))
    by_time = sorted(rows, key=lambda row: (row.lot_id, row.occurred_at))
    yield from _in_one_place(by_time, lambda row: (row.lot_id, row.occurred_at))


def _in_one_place(rows: list[Row], step: Callable[[Row], object]) -> Iterator[str]:
    there: dict[str, Decimal] = defaultdict(Decimal)
    last = {(step(row)): number for number, row in enumerate(rows)}
    for number, row in enumerate(rows):
        there[row.lot_id] += row.quantity
        if last[step(row)] == number and there[row.lot_id] not in (0, 1):
            yield f"I2: {there[row.lot_id]} of the serial {row.lot_id} after row {row.seq}"


def check_journal(_history: History, snapshot: Snapshot) -> Iterator[str]:
    """I6, I7: each row of the ledger has its one entry in the journal, and each entry its row."""
    told: dict[tuple[str, int], Entry] = {}
    for entry in snapshot.journal:
        if entry.type == MOVED:
            place = entry.data["movement_id"], entry.data["leg"]
            if place in told:
                yield f"I7: {place} is in the journal twice"
            told[place] = entry
    for row in snapshot.rows:
        found = told.pop((row.id, row.leg), None)
        if found is None:
            yield f"I7: {row.id} leg {row.leg} is not in the journal"
        elif Decimal(found.data["quantity"]) != row.quantity:
            yield f"I7: {row.id} leg {row.leg}: the journal says {found.data['quantity']}"
    for place in told:
        yield f"I7: {place} is in the journal and not in the ledger"


def check_asked(history: History, snapshot: Snapshot) -> Iterator[str]:
    """I3, I4: nothing is there that nobody asked for, and nothing by two sendings of a request."""
    names: dict[str, str] = {}
    for operation in history.writes:
        mark = "/altered" if operation.is_altered else ""
        for attempt in operation.attempts:
            names[attempt.request_id] = operation.name + mark
    effects: dict[str, set[str]] = defaultdict(set)
    for entry in snapshot.journal:
        if entry.request_id in names:
            effects[names[entry.request_id]].add(entry.request_id)
        elif entry.type != EXPIRED and not entry.request_id.startswith(SETUP):
            yield f"I3: nobody asked for {entry.type} of request {entry.request_id!r}"
    for name, requests in effects.items():
        if len(requests) > 1:
            yield f"I4: {name} was done {len(requests)} times: {sorted(requests)}"
        if name.endswith("/altered"):
            yield f"I4: {name} was done under a key that stands for another body"


def check_reserved(_history: History, snapshot: Snapshot) -> Iterator[str]:
    """I2: what is reserved is what is held; what was held went out, was freed, or has expired."""
    reserved: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for hold in snapshot.holds:
        parts = hold.held, hold.committed, hold.released, hold.expired
        if min(parts) < 0 or sum(parts) != hold.quantity:
            yield f"I2: hold of {hold.reference}: {hold.quantity} became {[*map(str, parts)]}"
        reserved[hold.item_id, hold.location_id, hold.lot_id] += hold.held
    vias = {(t.item_id, t.via_id) for t in snapshot.transfers}
    for level, (on_hand, held) in snapshot.levels.items():
        # What is in transit is all reserved, so that nobody takes it.
        expected = on_hand if level[:2] in vias else reserved[level]
        if held != expected:
            yield f"I2: {level} reserves {held}, and {expected} is held there"


def check_committed(_history: History, snapshot: Snapshot) -> Iterator[str]:
    """I1, I2: what was committed of a reservation went out, in its time."""
    committed: dict[str | None, Decimal] = defaultdict(Decimal)
    for hold in snapshot.holds:
        committed[hold.reference] += hold.committed
    ends = {hold.reference: hold.expires_at + DECIDED_WITHIN for hold in snapshot.holds}
    issued: dict[str | None, Decimal] = defaultdict(Decimal)
    for row in snapshot.rows:
        if row.kind == "issue" and row.reference in ends:
            issued[row.reference] -= row.quantity
            if row.recorded_at >= ends[row.reference]:
                yield f"I2: {row.reference} was committed after its end"
    for name, quantity in committed.items():
        if issued[name] != quantity:
            yield f"I1: {name} committed {quantity}, and {issued[name]} went out"


def check_transit(_history: History, snapshot: Snapshot) -> Iterator[str]:
    """I1: what is dispatched and not received lies in transit, and nothing else does."""
    due: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for transfer in snapshot.transfers:
        if transfer.received is None:
            due[transfer.item_id, transfer.via_id] += transfer.quantity
    vias = {transfer.via_id for transfer in snapshot.transfers}
    there = {pair: q for pair, q in snapshot.on_hand.items() if pair[1] in vias}
    for pair in due.keys() | there.keys():
        if due.get(pair, 0) != there.get(pair, 0):
            yield f"I1: {there.get(pair, 0)} in transit at {pair}, {due.get(pair, 0)} under way"


def check_followers(_history: History, snapshot: Snapshot) -> Iterator[str]:
    """I6: whoever follows the journal has the same sums, and each entry once."""
    ledger = {pair: quantity for pair, quantity in snapshot.on_hand.items() if quantity}
    for service, levels in snapshot.followed.items():
        theirs = {pair: quantity for pair, quantity in levels.items() if quantity}
        for pair in ledger.keys() | theirs.keys():
            if ledger.get(pair, 0) != theirs.get(pair, 0):
                yield f"I6: {service} has {theirs.get(pair, 0)} at {pair}, not {ledger.get(pair)}"
    twice = [of for of, times in Counter(snapshot.trail).items() if times > 1]
    missing = {entry.id for entry in snapshot.journal} - set(snapshot.trail)
    if twice or missing or len(snapshot.trail) != len(snapshot.journal):
        yield f"I6: the audit trail lacks {len(missing)} entries and has {len(twice)} twice"
    if snapshot.set_aside:
        yield f"I6: followers set {snapshot.set_aside} entries aside"
    if snapshot.issued != _issued(snapshot.rows):
        yield f"I6: forecasting counts {snapshot.issued} issued, not {_issued(snapshot.rows)}"


def _issued(rows: list[Row]) -> Decimal:
    return -sum((row.quantity for row in rows if row.kind == "issue"), Decimal(0))


CHECKS: tuple[Check, ...] = (
    check_forms,
    check_answers,
    check_restarts,
    check_asked,
    check_recorded_order,
    check_business_time,
    check_conserved,
    check_assemblies,
    check_serials,
    check_counts,
    check_approvals,
    check_freezes,
    check_periods,
    check_durations,
    check_journal,
    check_reserved,
    check_committed,
    check_transit,
    check_followers,
)
