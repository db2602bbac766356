"""Recording many movements in one call."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any, NamedTuple, TypedDict
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.approvals import service as approvals
from services.inventory.approvals.errors import ApprovalNeeded
from services.inventory.approvals.rules import ApprovalPolicy, is_weighed
from services.inventory.approvals.schemas import ApprovalRead
from services.inventory.approvals.service import Excess, Waiting, Weighing
from services.inventory.ledger import service as ledger
from services.inventory.ledger.errors import InsufficientStock
from services.inventory.ledger.rules import Change, Outcome, Refusal
from services.inventory.locations.service import places_of
from services.inventory.movements.errors import BulkRefused
from services.inventory.movements.schemas import BulkCreate, LineFault, MovementCreate
from services.inventory.movements.service.approving import asked_movements
from services.inventory.movements.service.recording import Origin, to_change
from services.inventory.prices.errors import PriceForbidden
from shared.errors import Problem, ValidationFailed
from shared.i18n.validation import located, validation_errors
from shared.money import plain
from shared.principal import Principal
from shared.security.sealing import Sealer

APPROVALS_MAX = 100  # That one call opens in mode each.
DEFERRALS_MAX = 10


_Found = Outcome | Problem | LineFault | Waiting


class _Context(TypedDict):
    """By what a call is weighed, for whom and when."""

    policy: ApprovalPolicy
    caller: Principal
    now: datetime


class _Desk(NamedTuple):
    """What a call is weighed with, and for whom."""

    sealer: Sealer
    policy: ApprovalPolicy
    origin: Origin
    now: datetime

    @property
    def context(self) -> _Context:
        return _Context(policy=self.policy, caller=self.origin.caller, now=self.now)


async def record_bulk(
    session: AsyncSession,
    sealer: Sealer,
    wanted: BulkCreate,
    *,
    policy: ApprovalPolicy,
    origin: Origin,
    language: str,
    now: datetime,
) -> dict[str, Any] | ApprovalRead:
    """Apply the lines in order, in the session's transaction, and say what became of each.

    The answer is JSON-ready, in the shape of BulkRead; or an approval, if an atomic call is of
    lines alone whose value is limited. Raises BulkRefused, with the results, when the mode is
    atomic and any line cannot be applied.
    """
    origin = replace(origin, places=await places_of(session, origin.caller))
    atomic = wanted.mode == "atomic"
    lines = [_change_or_fault(line, sealer, origin, atomic=atomic) for line in wanted.read_lines]
    changes = [line for line in lines if isinstance(line, Change)]
    desk = _Desk(sealer, policy, origin, now)
    found: dict[UUID, _Found] = {}
    if any(is_weighed(change) for change in changes):
        if atomic:
            approval = await _weigh_whole(session, changes, desk, language)
            if approval is not None:
                return approvals.to_awaited(
                    approval, sealer, caller=origin.caller, now=now, language=language
                )
        else:
            found = await _weigh_each(session, changes, desk)
    now_applied = [change for change in changes if change.id not in found]
    for outcome in await ledger.apply(session, now_applied, atomic=atomic):
        found[outcome.change.id] = outcome
    results = [
        _result(number, found[line.id] if isinstance(line, Change) else line, language)
        for number, line in enumerate(lines)
    ]
    refused = [result for result in results if result["status"] == "refused"]
    if atomic and refused:
        raise BulkRefused(refused=len(refused), results=refused)
    waiting = sum(isinstance(each, Waiting) for each in found.values())
    return {
        "applied": len(results) - len(refused) - waiting,
        "refused": len(refused),
        "waiting": waiting,
        "results": results,
    }


async def _weigh_whole(
    session: AsyncSession, changes: Sequence[Change], desk: _Desk, language: str
) -> Waiting | None:
    """Return the approval of all changes together, if they need one.

    Raises BulkRefused where only some of them can wait for one. What the stock refuses is not
    weighed: to apply it tells why.
    """
    outcomes = await ledger.foresee(session, changes, atomic=True)
    if any(outcome.refusal is not None for outcome in outcomes):
        return None
    if all(is_weighed(change) for change in changes):
        asked = asked_movements(outcomes)
        return await approvals.gate(session, desk.sealer, asked, **desk.context)
    weighing = await approvals.open_weighing(session, desk.sealer, outcomes, **desk.context)
    if weighing.find_excess(outcomes) is None:
        await approvals.note_uses(session, weighing, caller=desk.origin.caller, now=desk.now)
        return None
    refused = [
        _result(number, ApprovalNeeded(), language)
        for number, change in enumerate(changes)
        if is_weighed(change)
    ]
    raise BulkRefused(refused=len(refused), results=refused)


async def _weigh_each(
    session: AsyncSession, changes: Sequence[Change], desk: _Desk
) -> dict[UUID, _Found]:
    """Return the lines that wait for an approval each, by change; all others may be applied.

    What waits does not happen now, so the others are looked at again without it.
    """
    held: dict[UUID, _Found] = {}
    opened: set[UUID] = set()
    for attempt in count():
        rest = [change for change in changes if change.id not in held]
        outcomes = await ledger.foresee(session, rest)
        weighing = await approvals.open_weighing(session, desk.sealer, outcomes, **desk.context)
        found = _too_heavy(outcomes, weighing, defers=attempt < DEFERRALS_MAX)
        for outcome, excess in found:
            held[outcome.change.id] = (
                await _waiting(session, outcome, excess, desk, opened)
                if len(held) < APPROVALS_MAX
                else ApprovalNeeded()
            )
        if not found:
            await approvals.note_uses(session, weighing, caller=desk.origin.caller, now=desk.now)
            return held
    raise AssertionError  # pragma: no cover - the loop returns.


def _too_heavy(
    outcomes: Sequence[Outcome], weighing: Weighing, *, defers: bool
) -> list[tuple[Outcome, Excess]]:
    """Return the outcomes that need approval, and why.

    A count after such a one of the same level was foreseen as if that happened: it is left for the
    next time, if `defers`.
    """
    found: list[tuple[Outcome, Excess]] = []
    touched: set[tuple[UUID | None, UUID | None]] = set()
    for outcome in outcomes:
        level = outcome.spot.item_id, outcome.spot.place_id
        if defers and outcome.change.counted is not None and level in touched:
            continue
        excess = weighing.find_excess([outcome])
        if excess is not None:
            found.append((outcome, excess))
            touched.add(level)
    return found


async def _waiting(
    session: AsyncSession, outcome: Outcome, excess: Excess, desk: _Desk, opened: set[UUID]
) -> Waiting:
    """Open an approval of one line; of lines that are the same, one each."""
    for number in count():
        asked = asked_movements([outcome], number=number)
        waiting = await approvals.open_approval(session, desk.sealer, asked, excess, **desk.context)
        if waiting.approval.id not in opened:
            opened.add(waiting.approval.id)
            return waiting
    raise AssertionError  # pragma: no cover - the loop returns.


def _change_or_fault(
    line: MovementCreate | LineFault, sealer: Sealer, origin: Origin, *, atomic: bool
) -> Change | Problem | LineFault:
    """Return the change that a line asks for, or what is wrong with that line alone.

    Raises PriceForbidden for an atomic call as a whole.
    """
    if isinstance(line, LineFault):
        return line
    try:
        return to_change(line, sealer, origin)
    except PriceForbidden as problem:
        if atomic:
            raise
        return problem


def _result(number: int, found: _Found, language: str) -> dict[str, Any]:
    """Return what became of a line, in the shape of LineResult."""
    result: dict[str, Any] = {
        "line": number, "status": "refused", "id": None, "balance_after": None, "code": None,
        "message": None, "available": None, "on_hand": None, "reserved": None, "elsewhere": None,
        "next_receipt": None,
        "approval": None,
    }  # fmt: skip
    match found:
        case Waiting(approval=approval):
            message = approvals.say_awaited(found, language)
            return result | {
                "status": "approval_needed", "approval": str(approval.id), "message": message
            }  # fmt: skip
        case Outcome(refusal=None):
            balance = plain(found.balance)
            return result | {
                "status": "applied", "id": found.change.id, "balance_after": balance
            }  # fmt: skip
        case Outcome(refusal=Refusal.HELD_BACK):
            return result | {"status": "not_applied"}
        case Outcome():
            problem = ledger.problem_of(found)
            if isinstance(problem, InsufficientStock):
                result |= {
                    "available": plain(problem.available), "on_hand": plain(problem.on_hand),
                    "reserved": plain(problem.reserved), "elsewhere": problem.elsewhere,
                    "next_receipt": problem.next_receipt,
                }  # fmt: skip
        case Problem():
            problem = found
        case LineFault():
            (first, *_), _more = validation_errors(found.errors, language)
            message = located(first, language)
            return result | {"code": ValidationFailed().code, "message": message}
    return result | {"code": problem.code, "message": problem.detail_in(language)}
