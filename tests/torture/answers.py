"""Judges the answers themselves: their form, and that what they say is what is there."""

import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import orjson

from tests.torture.history import Attempt, History, Operation
from tests.torture.snapshot import Entry, Row, Snapshot

# What is between the system and its database, and no business of a client's.
INNER = re.compile(
    r"deadlock|serializ|lock.?time|canceling|Traceback|asyncpg|sqlalchemy|psql", re.IGNORECASE
)
AWAY = 503
DISTURBS_FORM = {"gateway", "clients"}  # Between these and a client nobody can answer for them.


def check_forms(history: History, _snapshot: Snapshot) -> Iterator[str]:
    """I11: every answer is well formed, in time, tells of nothing inner, and is not 500."""
    for operation in history.operations:
        for attempt in operation.attempts:
            yield from _faults_of(operation, attempt, history)
        if not operation.is_settled:
            yield f"I11: {operation.name} ({operation.kind}) never had a definite answer"
        if operation.is_altered and operation.done:
            yield f"I4: {operation.name} was answered {operation.done[0].status}, altered"


def _faults_of(operation: Operation, attempt: Attempt, history: History) -> Iterator[str]:
    what = f"{operation.name} ({operation.kind})"
    if attempt.status == AWAY and not attempt.retry_after.isdecimal():
        yield f"I11: {what} was answered 503 without a time to try again: {attempt.answer}"
    if attempt.status == 500:
        yield f"I11: {what} was answered 500: {attempt.answer}"
    if attempt.status is not None and attempt.fault:
        yield f"I11: {what} had a malformed answer, {attempt.fault}: {str(attempt.answer)[:200]}"
    if attempt.status is not None and attempt.status >= 400:
        told = INNER.search(orjson.dumps(attempt.answer).decode())
        if told:
            yield f"I11: {what} was told of {told[0]!r}: {attempt.answer}"
    took_s = attempt.ended - attempt.started - history.lag_s - history.slack_s
    is_late = attempt.is_late and not history.slack_s
    if (is_late or took_s > operation.may_take_s) and not _is_excused(attempt, history):
        yield f"I11: {what} had its answer after {took_s:.1f} s"


def _is_excused(attempt: Attempt, history: History) -> bool:
    """Say whether the front door, or the way to it, was disturbed while the client waited."""
    return any(
        happening.target in DISTURBS_FORM
        and happening.started <= attempt.ended
        and happening.ended >= attempt.started
        for happening in history.happenings
    )


def check_answers(history: History, snapshot: Snapshot) -> Iterator[str]:
    """I3, I4: what was acknowledged is there once as it was told; what was refused is not."""
    effects: dict[str, list[Entry]] = defaultdict(list)
    for entry in snapshot.journal:
        effects[entry.request_id].append(entry)
    opened = {e.data["approval_id"] for e in snapshot.journal if e.type == _ENTRIES["ask"]}
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in snapshot.rows:
        rows[row.id].append(row)
    for operation in history.writes:
        if operation.is_altered:
            continue
        own = [entry for a in operation.attempts for entry in effects[a.request_id]]
        done = operation.done
        if done:
            yield from _told_alike(operation)
            if not _asked_before(operation, own, opened):
                yield from _there(operation, own, rows)
            if operation.is_keyed and (operation.actor, operation.name) not in snapshot.keys:
                yield f"I4: the key of {operation.name} is not kept"
        elif own and not operation.may_be_done and not _closes_stale(operation, own):
            yield f"I3: {operation.name} ({operation.kind}) was refused, and done"


def _closes_stale(operation: Operation, own: list[Entry]) -> bool:
    """Say whether what was approved was overtaken: that is refused, and kept."""
    is_stale = any(attempt.code == "approval_stale" for attempt in operation.attempts)
    return is_stale and [entry.type for entry in own] == ["inventory.approval-overtaken.v1"]


def _asked_before(operation: Operation, own: list[Entry], opened: set[str]) -> bool:
    """Say whether it waits for an approval that was opened when the same was asked before."""
    return operation.is_awaiting and not own and operation.answer["id"] in opened


def _told_alike(operation: Operation) -> Iterator[str]:
    """I4: the same key gives the same answer."""
    if not operation.is_keyed:
        return
    first, *others = [_lasting(attempt.answer) for attempt in operation.done]
    if any(other != first for other in others):
        yield f"I4: {operation.name} ({operation.kind}) had two answers: {first}, {others}"
    answered = min(attempt.ended for attempt in operation.done)
    for attempt in operation.attempts:
        if attempt.is_definite and not attempt.is_done and attempt.started > answered:
            yield f"I4: {operation.name} was done, then refused: {attempt.status} {attempt.answer}"


def _lasting(answer: Any) -> Any:
    """Return an answer without what may change about the same thing later."""
    if isinstance(answer, dict):
        return {k: v for k, v in answer.items() if k != "reversed_by"}
    return answer


def _there(operation: Operation, own: list[Entry], rows: dict[str, list[Row]]) -> Iterator[str]:
    what = f"{operation.name} ({operation.kind})"
    told = _movements_told(operation)
    if told is not None:
        there = {e.data["movement_id"] for e in own if e.type == "inventory.stock-moved.v1"}
        if operation.kind == "reverse":  # Of an assembly all is undone together.
            there -= {of for of in there for row in rows[of] if row.part_of not in {None, of}}
        if there != told.keys():
            yield f"I3: {what} was told {sorted(told)}, and {sorted(there)} is there"
            return
        for movement, (change, balance) in told.items():
            legs = _legs_here(rows[movement])
            if not legs:
                yield f"I3: {what} was acknowledged and is not in the ledger"
                continue
            if change is not None and sum(row.quantity for row in legs) != change:
                yield f"I3: {what} was told {change}, the ledger says {legs}"
            if balance is not None and sum(row.balance_after for row in legs) != balance:
                yield f"I3: {what} was told {balance} after it, the ledger says {legs}"
    expected = _ENTRIES.get("ask" if operation.is_awaiting else operation.kind)
    if expected is not None and sum(entry.type == expected for entry in own) != 1:
        yield f"I3: {what} was acknowledged, and its {expected} is not there once: {own}"


def _legs_here(rows: list[Row]) -> list[Row]:
    """Return the legs at the location that the answer is about, one for each lot."""
    return [row for row in rows if row.location_id == rows[0].location_id]


Told = dict[str, tuple[Decimal | None, Decimal | None]]


def _movements_told(  # noqa: PLR0911 - one return for each kind.
    operation: Operation,
) -> Told | None:
    """Return the movements that an answer names, each with its change and the balance after it."""
    answer = operation.answer
    if operation.is_awaiting:
        return {}
    match operation.kind:
        case "assembly":
            return {
                each["id"]: (Decimal(each["change"]), Decimal(each["balance_after"]))
                for each in answer["movements"]
            }
        case "movement" | "reverse":
            return {answer["id"]: (Decimal(answer["change"]), Decimal(answer["balance_after"]))}
        case "bulk":
            return {
                line["id"]: (None, Decimal(line["balance_after"]))
                for line in answer["results"]
                if line["status"] == "applied"
            }
        case "commit" | "approve":
            return dict.fromkeys(answer["movements"], (None, None))
        case "dispatch":
            return {answer["id"]: (-Decimal(answer["quantity"]), None)}
        case kind if kind in _MOVES_NOTHING:
            return {}
    return None


_ENTRIES = {
    "ask": "inventory.approval-opened.v1",
    "approve": "inventory.approval-approved.v1",
    "reject": "inventory.approval-rejected.v1",
    "withdraw": "inventory.approval-withdrawn.v1",
    "open_count": "inventory.count-opened.v1",
    "enter_count": "inventory.count-entered.v1",
    "recount": "inventory.count-recount-asked.v1",
    "post_count": "inventory.count-posted.v1",
    "cancel_count": "inventory.count-cancelled.v1",
    "freeze": "inventory.stock-frozen.v1",
    "lift": "inventory.freeze-lifted.v1",
    "close": "inventory.period-closed.v1",
    "reopen": "inventory.period-reopened.v1",
    "reserve": "inventory.stock-reserved.v1",
    "commit": "inventory.reservation-committed.v1",
    "release": "inventory.reservation-released.v1",
    "dispatch": "inventory.transfer-dispatched.v1",
    "receive": "inventory.transfer-received.v1",
}
_MOVES_NOTHING = frozenset(_ENTRIES) - {"approve", "post_count", "commit", "dispatch", "receive"}
