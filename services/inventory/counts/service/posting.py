"""Posting a count: each line becomes a count correction of the ledger, all of them or none.

The ledger compares what was counted with what lay there at that instant, so whatever moved since
is kept. A line without a difference is posted too: that somebody counted there is in the ledger.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.approvals import service as approvals
from services.inventory.approvals.errors import ApprovalStale
from services.inventory.approvals.rules import ApprovalKind, ApprovalPolicy, StaleCause
from services.inventory.approvals.schemas import ApprovalRead
from services.inventory.approvals.service import Approved, Asked
from services.inventory.counts import queries
from services.inventory.counts.errors import CountFrozen, CountRefused, CountUnready
from services.inventory.counts.models import Count
from services.inventory.counts.queries import LineFilter, Posted
from services.inventory.counts.rules import NOTHING, CountResult, CountState, Uncounted
from services.inventory.counts.schemas import CountPostCreate
from services.inventory.counts.service.reviewing import get_open_count
from services.inventory.ledger import service as ledger
from services.inventory.ledger.errors import InsufficientStock
from services.inventory.ledger.rules import (
    TRACKS_SERIALS,
    Change,
    Kind,
    Level,
    Outcome,
    Reference,
    lot_name,
)
from services.inventory.locations.service import places_of
from shared import journal
from shared.clock import utc_now
from shared.contracts.inventory.counts import CountPosted
from shared.errors import Problem
from shared.ids import new_id
from shared.money import plain
from shared.principal import Places, Principal
from shared.security.sealing import Sealer


class Poster(NamedTuple):
    """Who posts, when, in which language he is told, and what he may do alone."""

    caller: Principal
    now: datetime
    language: str
    policy: ApprovalPolicy


class _Due(NamedTuple):
    """A line to post: what is to have lain there, and when."""

    line: RowMapping
    result: CountResult
    counted: Decimal
    counted_at: datetime


async def post_count(
    session: AsyncSession,
    sealer: Sealer,
    count_id: UUID,
    wanted: CountPostCreate,
    if_match: str | None,
    poster: Poster,
) -> Count | ApprovalRead:
    """Let stock be what was counted, less and plus what moved since; once.

    What is worth more than the caller may change alone waits for an approval, which is returned
    then. Raises what `get_open_count` raises; CountUnready; CountRefused with every line that the
    ledger refuses, CountFrozen.
    """
    caller, now = poster.caller, poster.now
    count = await get_open_count(session, count_id, if_match, caller=caller)
    lines = await queries.list_lines(session, count_id, LineFilter())
    _require_ready(lines, wanted)
    due = _due(lines, wanted, count)
    request_id = journal.stamp_of(session).request_id
    places = await places_of(session, caller)
    changes = [_change(each, count, caller.actor, request_id, places) for each in due]
    foreseen = await ledger.foresee(session, changes, atomic=True)
    refused = [
        (each.line, outcome)
        for each, outcome in zip(due, foreseen, strict=True)
        if outcome.is_refused_itself
    ]
    if refused:
        raise await _refusal(session, refused, language=poster.language, now=now)
    content = {"count_id": str(count.id), "version": count.version}
    content |= wanted.model_dump(mode="json")
    asked = Asked(ApprovalKind.COUNT, content, foreseen, subject_id=count.id)
    approval = await approvals.gate(
        session, sealer, asked, policy=poster.policy, caller=caller, now=now
    )
    if approval is not None:
        return approvals.to_awaited(
            approval, sealer, caller=caller, now=now, language=poster.language
        )
    outcomes = await ledger.apply(session, changes, atomic=True)
    await _close(session, count, _results(lines, due, outcomes, wanted), caller.actor, now)
    await approvals.close_overtaken(session, [count.id], StaleCause.OVER, now=now)
    return count


async def apply_approved_count(
    session: AsyncSession, sealer: Sealer, approved: Approved
) -> list[UUID]:
    """Post a count as it was asked to be posted, if nothing was entered or closed since.

    Raises what `approvals.apply_approved` raises.
    """
    content = approved.content
    wanted = CountPostCreate.model_validate(
        {name: content[name] for name in CountPostCreate.model_fields}
    )
    count = await queries.find_count(
        session, UUID(content["count_id"]), places=None, actor="", is_locked=True
    )
    if count is None or count.state != CountState.OPEN:
        raise ApprovalStale(cause=StaleCause.OVER)
    if count.version != content["version"]:
        raise ApprovalStale(cause=StaleCause.CONTENT)
    lines = await queries.list_lines(session, count.id, LineFilter())
    due = _due(lines, wanted, count)
    actor, request_id = approved.requested_by, approved.request_id
    changes = [_change(each, count, actor, request_id, approved.places) for each in due]
    outcomes = await approvals.apply_approved(session, sealer, approved, changes)
    now = max((outcome.recorded_at for outcome in outcomes), default=utc_now())
    await _close(session, count, _results(lines, due, outcomes, wanted), actor, now)
    await approvals.close_overtaken(
        session, [count.id], StaleCause.OVER, except_id=approved.approval_id, now=now
    )
    return [change.id for change in changes]


def _require_ready(lines: Sequence[RowMapping], wanted: CountPostCreate) -> None:
    """Raise CountUnready if a line still needs somebody's work or word."""
    lines = _taken(lines, wanted)
    refuses = wanted.uncounted is Uncounted.REFUSE
    unready = CountUnready(
        uncounted=sum(refuses and _is_open(line) for line in lines),
        to_recount=sum(line["counted"] is None and line["round"] > 1 for line in lines),
        disputed=sum(line["disputed"] for line in lines),
        beyond_tolerance=sum(line["beyond_tolerance"] and line["round"] == 1 for line in lines)
        * (not wanted.accept_beyond_tolerance),
    )
    if any(unready.members().values()):
        raise unready


def _taken(lines: Sequence[RowMapping], wanted: CountPostCreate) -> list[RowMapping]:
    left_out = set(wanted.leave_out)
    return [line for line in lines if line["number"] not in left_out]


def _is_open(line: RowMapping) -> bool:
    """Say whether nobody counted a line that was to be counted."""
    return line["counted"] is None and line["round"] == 1 and not line["found"]


def _due(lines: Sequence[RowMapping], wanted: CountPostCreate, count: Count) -> list[_Due]:
    """Return what is posted; what nobody counted as of the last count at its location."""
    lines = _taken(lines, wanted)
    latest: dict[UUID, datetime] = {}
    for line in lines:
        if line["counted_at"] is not None:
            before = latest.get(line["location_id"], line["counted_at"])
            latest[line["location_id"]] = max(before, line["counted_at"])
    due = []
    for line in lines:
        if _is_serial_as_expected(line):
            continue
        if line["counted"] is not None:
            due.append(_Due(line, CountResult.POSTED, line["counted"], line["counted_at"]))
        elif wanted.uncounted is Uncounted.ZERO and _is_open(line) and line["expected"]:
            at = latest.get(line["location_id"], count.opened_at)
            due.append(_Due(line, CountResult.ZEROED, NOTHING, at))
    # A serial leaves one place before it comes to another.
    return sorted(due, key=lambda each: not (_is_serial(each.line) and not each.counted))


def _is_serial(line: RowMapping) -> bool:
    return bool(line["tracking"] == TRACKS_SERIALS)


def _is_serial_as_expected(line: RowMapping) -> bool:
    """Say whether a serial is where it was, or is not: nothing of it moves then."""
    return _is_serial(line) and line["variance"] == 0


def _change(due: _Due, count: Count, actor: str, request_id: str, places: Places) -> Change:
    line = due.line
    name = None if line["lot"] is None else lot_name(line["lot"])
    is_serial = _is_serial(line)
    return Change(
        id=new_id(),
        kind=Kind.COUNT_CORRECTION,
        item=Reference(line["item_id"], None, line["item"]),
        place=Reference(line["location_id"], None, line["location"]),
        actor=actor,
        request_id=request_id,
        quantity=due.counted - line["expected"] if is_serial else None,
        counted=None if is_serial else due.counted,
        occurred_at=due.counted_at,
        reason=count.title,
        reference=str(count.id),
        places=places,
        lot=None if is_serial else name,
        serials=(name,) if is_serial and name is not None else None,
    )


def _result_of(line: RowMapping, left_out: set[int]) -> CountResult:
    """Return what became of a line of which nothing moved."""
    if line["number"] in left_out:
        return CountResult.LEFT_OUT
    return CountResult.POSTED if _is_serial_as_expected(line) else CountResult.KEPT


def _results(
    lines: Sequence[RowMapping],
    due: Sequence[_Due],
    outcomes: Sequence[Outcome],
    wanted: CountPostCreate,
) -> list[Posted]:
    """Return what became of each line."""
    posted = [_posted(each, outcome) for each, outcome in zip(due, outcomes, strict=True)]
    return posted + _rest(lines, {each.number for each in posted}, set(wanted.leave_out))


async def _close(
    session: AsyncSession, count: Count, results: Sequence[Posted], actor: str, now: datetime
) -> None:
    await queries.write_results(session, count.id, results)
    count.state = CountState.POSTED
    count.closed_at, count.closed_by = max(now, count.opened_at), actor
    count.version += 1
    _record(session, count, results)
    await session.flush()  # What is read from now on is of a closed count.


def _posted(due: _Due, outcome: Outcome) -> Posted:
    return Posted(
        number=due.line["number"],
        item_id=due.line["item_id"],
        location_id=due.line["location_id"],
        lot_id=due.line["lot_id"],
        result=due.result,
        counted=due.counted,
        counted_at=due.counted_at,
        expected=due.counted - outcome.quantity,
        moved=due.line["moved"],
        movement_id=outcome.change.id,
    )


def _rest(lines: Sequence[RowMapping], posted: set[int], left_out: set[int]) -> list[Posted]:
    """Return the lines that stay as they are, with what lay there."""
    return [
        Posted(
            number=line["number"],
            item_id=line["item_id"],
            location_id=line["location_id"],
            lot_id=line["lot_id"],
            result=_result_of(line, left_out),
            counted=line["counted"],
            counted_at=line["counted_at"],
            expected=line["expected"],
            moved=line["moved"],
            movement_id=None,
        )
        for line in lines
        if line["number"] not in posted
    ]


def _record(session: AsyncSession, count: Count, results: Sequence[Posted]) -> None:
    of: dict[str, int] = defaultdict(int)
    for each in results:
        of[each.result] += 1
    moved = [each for each in results if each.movement_id is not None]
    journal.record(
        session,
        CountPosted(
            count_id=count.id,
            posted=of[CountResult.POSTED],
            zeroed=of[CountResult.ZEROED],
            kept=of[CountResult.KEPT],
            left_out=of[CountResult.LEFT_OUT],
            differing=sum(each.counted != each.expected for each in moved),
        ),
    )


async def _refusal(
    session: AsyncSession,
    refused: Sequence[tuple[RowMapping, Outcome]],
    *,
    language: str,
    now: datetime,
) -> Problem:
    """Return what tells of all lines that the ledger refuses, and of what holds stock there."""
    notice = next((outcome.notice for _, outcome in refused if outcome.notice is not None), None)
    if notice is not None:
        return CountFrozen.by(
            notice,
            refused[0][1].change.places,
            lines=[line["number"] for line, outcome in refused if outcome.notice is not None],
        )
    short = {_level(line): None for line, outcome in refused if outcome.is_short}
    holds: dict[Level, list[dict[str, str | None]]] = defaultdict(list)
    places = refused[0][1].change.places  # Of who posts.
    for row in await queries.list_holds(session, short, now, places=places) if short else ():
        holds[row["item_id"], row["location_id"], row["lot_id"]].append(
            {"id": str(row["reservation_id"]), "reference": row["reference"],
             "held": plain(row["held"])}
        )  # fmt: skip
    results = [_result(line, outcome, holds, language) for line, outcome in refused]
    return CountRefused(refused=len(results), results=results)


def _result(
    line: RowMapping,
    outcome: Outcome,
    holds: Mapping[Level, Sequence[dict[str, str | None]]],
    language: str,
) -> dict[str, object]:
    problem = ledger.problem_of(outcome)
    is_short = isinstance(problem, InsufficientStock)
    return {
        "line": line["number"],
        "item": line["item"],
        "location": line["location"],
        "lot": None if _is_serial(line) else line["lot"],
        "serial": line["lot"] if _is_serial(line) else None,
        "code": problem.code,
        "message": problem.detail_in(language),
        "reserved": plain(outcome.reserved) if is_short else None,
        "reservations": list(holds.get(_level(line), ())),
    }


def _level(line: RowMapping) -> Level:
    return line["item_id"], line["location_id"], line["lot_id"]
