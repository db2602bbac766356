"""What may be changed alone, and opening an approval for what may not."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.approvals import queries
from services.inventory.approvals.models import Approval
from services.inventory.approvals.rules import (
    ONCE,
    WINDOW,
    ApprovalCause,
    ApprovalKind,
    ApprovalPolicy,
    ApprovalState,
    AskedLine,
    Load,
    Scales,
    StaleCause,
    buckets_of,
    find_untied,
    hash_asked,
    hash_content,
    is_weighed,
    value_of,
)
from services.inventory.approvals.service.closing import close_lapsed, close_overtaken
from services.inventory.approvals.service.limits import Limits, find_limits
from services.inventory.ledger import service as ledger
from services.inventory.ledger.rules import NO_LOT, Kind, Outcome
from services.inventory.prices import service as prices
from services.inventory.prices.service import SeenAmount
from shared import journal
from shared.contracts.inventory.approvals import APPROVAL_VALUE_COLUMN, ApprovalOpened
from shared.ids import new_id
from shared.principal import Principal
from shared.security.sealing import Sealer, place


class Asked(NamedTuple):
    """What is to be done once it is approved: its kind, and what the kind's executor needs.

    The content is JSON-ready, and holds no cost and no price. `outcomes` are what
    `ledger.service.foresee` says of all changes of stock that are asked for together, `loads` what
    is weighed of changes of which each by itself is not. `subject_id` is what it hangs on, whose
    feature calls `close_overtaken`; `same` what of the content is the same whenever the same is
    asked for, all unless given; `number` tells what is asked twice on purpose apart.
    """

    kind: ApprovalKind
    content: Mapping[str, Any]
    outcomes: Sequence[Outcome] = ()
    loads: Sequence[Load] = ()
    subject_id: UUID | None = None
    same: Mapping[str, Any] | None = None
    number: int = 0


class Waiting(NamedTuple):
    """An approval that what was asked waits for; opened now, or when the same was asked before."""

    approval: Approval
    is_repeated: bool


class Excess(NamedTuple):
    """Why something needs approval, and what it is worth; None if no cost is known."""

    cause: ApprovalCause
    value: Decimal | None


@dataclass(slots=True)
class Weighing:
    """The limits of one caller, the costs of what he asks for, and what of it is not limited."""

    scales: Scales
    costs: Mapping[tuple[UUID, UUID | None], SeenAmount]
    tied: frozenset[UUID] = frozenset()  # Changes that bring back what was issued.
    loads: Sequence[Load] = ()  # Weighed with the outcomes.

    def find_excess(self, outcomes: Sequence[Outcome]) -> Excess | None:
        """Return why these need approval together; if they need none, they count from now on."""
        untied = [outcome for outcome in outcomes if outcome.change.id not in self.tied]
        cause = self.scales.weigh([*loads_of(untied, self.costs), *self.loads])
        # The value of all, since all wait: once given, it is held against what they are worth then.
        value = value_of([*loads_of(outcomes, self.costs), *self.loads])
        return None if cause is None else Excess(cause, value)


async def gate(
    session: AsyncSession,
    sealer: Sealer,
    asked: Asked,
    *,
    policy: ApprovalPolicy,
    caller: Principal,
    now: datetime,
) -> Waiting | None:
    """Return the approval that is opened for what the caller may not change alone.

    None if he may: then it counts towards what he changes within a day, and he applies it in the
    same transaction. What `is_weighed` says is weighed, all together; what is refused is not. Who
    is given an approval changes nothing, and answers 202 with `to_awaited` of it.

    To add a kind of approval: a member of `ApprovalKind`; an executor, as `deciding.Executor` says,
    that does what `content` asks for in the session's transaction, its changes of stock by
    `apply_approved`, and returns the movements; a line in `resources.py` that names it. A kind that
    moves no stock opens its approvals by `open_approval`, and raises ApprovalStale itself.
    """
    outcomes = asked.outcomes
    weighing = await open_weighing(
        session, sealer, outcomes, asked.loads, policy=policy, caller=caller, now=now
    )
    excess = weighing.find_excess(outcomes)
    if excess is None:
        await note_uses(session, weighing, caller=caller, now=now)
        return None
    return await open_approval(
        session, sealer, asked, excess, policy=policy, caller=caller, now=now
    )


async def open_weighing(
    session: AsyncSession,
    sealer: Sealer,
    outcomes: Sequence[Outcome],
    loads: Sequence[Load] = (),
    *,
    policy: ApprovalPolicy,
    caller: Principal,
    now: datetime,
) -> Weighing:
    """Return the scales for what a caller asks.

    Until the transaction ends nothing else of his is weighed that touches the same items, if these
    are worth anything and he has a limit. All that is moved is locked before; of what is refused
    too the items are, since it may be asked again in the same transaction, and locks have an order.
    """
    weighed = [it for it in outcomes if is_weighed(it.change) and it.spot.item_id is not None]
    is_any = weighed or loads
    limits = await find_limits(session, caller.role, policy=policy) if is_any else Limits()
    scales = Scales(limits.amount, limits.quantity_without_cost)
    if limits == Limits():
        return Weighing(scales, {}, loads=loads)
    costs = await find_costs(session, sealer, weighed, caller=caller)
    limited = {load.item_id for load in [*_loads(weighed, costs), *loads] if scales.counts(load)}
    if not limited:
        return Weighing(scales, costs, loads=loads)
    await queries.lock_uses(session, caller.id, buckets_of(limited))
    scales.done = await queries.sum_uses(session, caller.id, limited, since=now - WINDOW)
    return Weighing(scales, costs, await _find_tied(session, weighed), loads)


async def _find_tied(session: AsyncSession, outcomes: Sequence[Outcome]) -> frozenset[UUID]:
    """Return which returns bring back no more than was issued under their references."""
    back = [it for it in outcomes if _counts(it) and it.change.kind is Kind.RETURN]
    named = {(_costed(it)[0], it.change.reference) for it in back if it.change.reference}
    out = await ledger.sum_issued_under(session, named) if named else {}
    said = [(_costed(it)[0], it.change.reference, it.quantity) for it in back]
    untied = find_untied(said, out)
    return frozenset(it.change.id for number, it in enumerate(back) if number not in untied)


async def note_uses(
    session: AsyncSession, weighing: Weighing, *, caller: Principal, now: datetime
) -> None:
    """Let what was found within the limits count for a day."""
    changed = {item_id: sum_ for item_id, sum_ in weighing.scales.granted.items() if sum_}
    if changed:
        await queries.add_uses(session, caller.id, changed, now=now)


async def open_approval(
    session: AsyncSession,
    sealer: Sealer,
    asked: Asked,
    excess: Excess,
    *,
    policy: ApprovalPolicy,
    caller: Principal,
    now: datetime,
) -> Waiting:
    """Open an approval of what is asked, based on what the outcomes say of the stock now.

    Where the same person's approval of the same is open, that is returned. Of what can be done
    once, one for something else is closed: the person means the later.
    """
    moved, same = lines_of(asked.outcomes), asked.content if asked.same is None else asked.same
    asked_hash = hash_asked(asked.kind, same, moved, number=asked.number)
    known = await _find_open(session, asked, asked_hash, caller=caller, now=now)
    if known is not None:
        return Waiting(known, is_repeated=True)
    approval_id = new_id()
    where = place(APPROVAL_VALUE_COLUMN, caller.tenant_id, approval_id)
    sealed = None if excess.value is None else sealer.seal_amount(excess.value, where)
    lines = _written_lines(asked.outcomes)
    # The time of the ledger, behind all locks: a count that comes later is dated later.
    opened_at = max((outcome.recorded_at for outcome in asked.outcomes), default=now)
    approval = Approval(
        id=approval_id,
        kind=asked.kind.value,
        cause=excess.cause.value,
        content=dict(asked.content),
        content_hash=hash_content(asked.kind, asked.content, moved),
        value=sealed,
        subject_id=asked.subject_id,
        asked_hash=asked_hash,
        line_count=len(asked.outcomes),
        requester_id=caller.id,
        requested_by=caller.actor,
        opened_at=opened_at,
        expires_at=opened_at + policy.lasts,
        state=ApprovalState.OPEN.value,
        version=1,
    )
    await queries.add(session, approval, lines)
    journal.record(
        session,
        ApprovalOpened(
            approval_id=approval.id,
            kind=approval.kind,
            cause=approval.cause,
            line_count=approval.line_count,
            content_hash=approval.content_hash.hex(),
            value_sealed=None if sealed is None else base64.b64encode(sealed).decode(),
            requester_id=approval.requester_id,
            expires_at=approval.expires_at,
        ),
    )
    return Waiting(approval, is_repeated=False)


async def _find_open(
    session: AsyncSession, asked: Asked, asked_hash: bytes, *, caller: Principal, now: datetime
) -> Approval | None:
    """Return the caller's approval of the same, if one is open; else make room for one.

    No other of his is opened until the transaction ends.
    """
    await queries.lock_requester(session, caller.id)
    known = await queries.find_same(session, caller.id, asked_hash)
    if known is not None and known.expires_at > now:
        return known
    if known is not None:
        close_lapsed(session, known, now=now)
        await session.flush()  # Of the same there is one that is open.
    if asked.subject_id is not None and asked.kind in ONCE:
        await close_overtaken(
            session, [asked.subject_id], StaleCause.REPLACED, requester_id=caller.id, now=now
        )
    return None


async def find_costs(
    session: AsyncSession, sealer: Sealer, outcomes: Sequence[Outcome], *, caller: Principal
) -> dict[tuple[UUID, UUID | None], SeenAmount]:
    """Return what a unit costs of what the outcomes move, each price opened once."""
    wanted = {_costed(outcome) for outcome in outcomes if is_weighed(outcome.change)}
    return await prices.find_unit_costs(session, sealer, wanted, caller=caller)


def loads_of(
    outcomes: Sequence[Outcome], costs: Mapping[tuple[UUID, UUID | None], SeenAmount]
) -> list[Load]:
    """Return what of the outcomes is weighed, with what it costs."""
    return _loads([outcome for outcome in outcomes if _counts(outcome)], costs)


def _loads(
    outcomes: Sequence[Outcome], costs: Mapping[tuple[UUID, UUID | None], SeenAmount]
) -> list[Load]:
    found = []
    for outcome in outcomes:
        cost = costs.get(_costed(outcome), SeenAmount(None))
        item_id, _ = _costed(outcome)
        found.append(Load(item_id, outcome.quantity, cost.amount, cost.is_unreadable))
    return found


def lines_of(outcomes: Sequence[Outcome]) -> list[AskedLine]:
    """Return what the outcomes do to which levels."""
    return [
        AskedLine(
            line["line"], line["item_id"], line["location_id"], line["lot_id"], line["quantity"]
        )
        for line in _written_lines(outcomes)
    ]


def _written_lines(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    return [
        {
            "line": number,
            "item_id": outcome.spot.item_id,
            "location_id": outcome.spot.place_id,
            "lot_id": NO_LOT if part.lot is None else part.lot.id,
            "lot": None if part.lot is None else part.lot.code,
            "quantity": part.quantity,
            "on_hand": part.balance - part.quantity,
            "movement_kind": outcome.change.kind.value,
            "reason_code": outcome.change.reason_code,
            "reason": outcome.change.reason,
            "reference": outcome.change.reference,
            "occurred_at": outcome.occurred_at,
        }
        for number, outcome in enumerate(outcomes)
        for part in [part for part in outcome.parts if part.quantity] or outcome.parts[:1]
    ]


def _counts(outcome: Outcome) -> bool:
    return outcome.refusal is None and is_weighed(outcome.change)


def _costed(outcome: Outcome) -> tuple[UUID, UUID | None]:
    """Return the item, and the price that says what a unit costs: of the original, if undone."""
    if outcome.spot.item_id is None:
        raise AssertionError("only what was found is weighed")
    return outcome.spot.item_id, outcome.change.cost_id or outcome.spot.cost_id
