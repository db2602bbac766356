"""Judges what several people did together: counts, approvals, freezes and closed periods."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from tests.torture.history import History
from tests.torture.snapshot import Entry, Level, Row, Snapshot

MOVED, RESERVED = "inventory.stock-moved.v1", "inventory.stock-reserved.v1"
ENDS_OF_COUNTS = {
    "posted": "inventory.count-posted.v1",
    "cancelled": "inventory.count-cancelled.v1",
}
ENDS_OF_APPROVALS = {
    "approved": "inventory.approval-approved.v1",
    "rejected": "inventory.approval-rejected.v1",
    "withdrawn": "inventory.approval-withdrawn.v1",
    "stale": "inventory.approval-overtaken.v1",
    "expired": "inventory.approval-lapsed.v1",
}


def check_counts(_history: History, snapshot: Snapshot) -> Iterator[str]:
    """I3: a posted count is in the ledger once, line by line; one that is not, not at all."""
    corrections: dict[str | None, list[Row]] = defaultdict(list)
    for row in snapshot.rows:
        if row.kind == "count_correction" and row.reference in snapshot.counts:
            corrections[row.reference].append(row)
    yield from _ends(snapshot, "count_id", snapshot.counts, ENDS_OF_COUNTS)
    for count, state in snapshot.counts.items():
        lines = {line.movement_id: line for line in snapshot.count_lines[count]}
        lines.pop(None, None)
        there = Counter(row.id for row in corrections[count])
        if state != "posted" and there:
            yield f"I3: count {count} is {state}, and corrected {sorted(there)}"
        elif there != Counter(list(lines)):
            yield f"I3: count {count} says {sorted(map(str, lines))}, the ledger {sorted(there)}"
    yield from _netted(snapshot)


def _netted(snapshot: Snapshot) -> Iterator[str]:
    """I1: right after a line was posted, what lay there at its instant was what was counted."""
    counted = {
        line.movement_id: line
        for lines in snapshot.count_lines.values()
        for line in lines
        if line.movement_id
    }
    before: dict[Level, list[Row]] = defaultdict(list)
    for row in snapshot.rows:
        before[row.level].append(row)
        line = counted.get(row.id)
        if line is None:
            continue
        lay = sum(r.quantity for r in before[row.level] if r.occurred_at <= row.occurred_at)
        if (row.level, row.occurred_at, lay) != (line.level, line.counted_at, line.counted):
            yield f"I1: {line} was posted by {row}, after which {lay} lay there then"


def check_approvals(_history: History, snapshot: Snapshot) -> Iterator[str]:
    """I3, I10: what somebody else approved was done once and as it was asked; nothing else was."""
    states = {approval.id: approval.state for approval in snapshot.approvals}
    yield from _ends(snapshot, "approval_id", states, ENDS_OF_APPROVALS)
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in snapshot.rows:
        rows[row.id].append(row)
    used: set[str] = set()
    for approval in snapshot.approvals:
        movements = approval.movements or []
        if approval.state != "approved":
            if movements:
                yield f"I10: {approval.id} is {approval.state}, and names {movements}"
            continue
        if approval.decider_id in {None, approval.requester_id}:
            yield f"I10: {approval.id} was approved by who asked for it"
        if used & {*movements} or len({*movements}) != len(movements):
            yield f"I10: {approval.id} was done by movements of another: {movements}"
        used |= {*movements}
        done: dict[Level, Decimal] = defaultdict(Decimal)
        for row in (row for movement in movements for row in rows[movement]):
            done[row.level] += row.quantity
        if {k: v for k, v in done.items() if v} != {k: v for k, v in approval.asked.items() if v}:
            yield f"I10: {approval.id} asked for {approval.asked}, and {dict(done)} was done"


def _ends(
    snapshot: Snapshot, name: str, states: dict[str, str], ends: dict[str, str]
) -> Iterator[str]:
    """I3: what ended did so once, as the journal tells, and what is open did not."""
    told: dict[str, list[str]] = defaultdict(list)
    for entry in snapshot.journal:
        if entry.type in ends.values():
            told[entry.data[name]].append(entry.type)
    for of, state in states.items():
        expected = [ends[state]] if state in ends else []
        if told.pop(of, []) != expected:
            yield f"I3: {name} {of} is {state}, and did not end so once in the journal"
    for of in told:
        yield f"I3: {name} {of} ended, and is not there"


def check_freezes(_history: History, snapshot: Snapshot) -> Iterator[str]:
    """I3: nothing that was frozen moved, nor was reserved.

    Who moves holds a lock until his entry is committed, and who freezes takes it alone: so the
    journal's own numbers tell which was first.
    """
    frozen: dict[str, Entry] = {}
    for entry in _by_number(snapshot):
        match entry.type:
            case "inventory.stock-frozen.v1":
                frozen[entry.data["freeze_id"]] = entry
            case "inventory.freeze-lifted.v1":
                frozen.pop(entry.data["freeze_id"], None)
            case _ if entry.type in {MOVED, RESERVED}:
                for line in entry.data.get("lines", [entry.data]):
                    if any(_covers(one, line, snapshot) for one in frozen.values()):
                        yield f"I3: entry {entry.seq} went through a freeze: {line}"


def _covers(freeze: Entry, line: dict[str, str], snapshot: Snapshot) -> bool:
    match freeze.data["scope"]:
        case "item":
            return bool(freeze.data["item_id"] == line["item_id"])
        case "location":
            place: str | None = line["location_id"]
            while place is not None and place != freeze.data["location_id"]:
                place = snapshot.parents.get(place)
            return place is not None
    return True


def check_periods(_history: History, snapshot: Snapshot) -> Iterator[str]:
    """I3: while a period was closed nothing was recorded that happened in it."""
    closed: dict[str, datetime] = {}
    for entry in _by_number(snapshot):
        match entry.type:
            case "inventory.period-closed.v1":
                following = date.fromisoformat(entry.data["last_day"]) + timedelta(days=1)
                closed[entry.data["period_id"]] = datetime.combine(following, time(), UTC)
            case "inventory.period-reopened.v1":
                closed.pop(entry.data["period_id"], None)
            case _ if entry.type == MOVED and closed:
                at = datetime.fromisoformat(entry.data["occurred_at"])
                if at < max(closed.values()):
                    yield f"I3: entry {entry.seq} is of {at}, in a closed period"


def _by_number(snapshot: Snapshot) -> list[Entry]:
    return sorted(snapshot.journal, key=lambda entry: entry.seq)


def check_durations(_history: History, snapshot: Snapshot) -> Iterator[str]:
    """T2: nothing ended before it began, whatever the clocks showed."""
    for what, began, ended in snapshot.spans:
        if ended < began:
            yield f"T2: {what} began at {began} and ended at {ended}"
