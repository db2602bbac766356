"""Holding stock: all lines of a reservation or none, many reservations in one transaction."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.ledger import service as ledger
from services.inventory.ledger.errors import InsufficientStock
from services.inventory.ledger.rules import NO_LOT, Change, Level, Outcome, judge_hold
from services.inventory.ledger.service import KeptAnswer, Locked
from services.inventory.reservations import queries
from services.inventory.reservations.errors import (
    InsufficientStockAnywhere,
    ReservationRefused,
    ReservationTimeUnfit,
)
from services.inventory.reservations.models import Reservation, ReservationHold
from services.inventory.reservations.queries import NamedHold, NewReservation
from services.inventory.reservations.rules import NOTHING
from services.inventory.reservations.schemas import ReservationRead
from services.inventory.reservations.service.ending import as_held, checked_end, level_of
from services.inventory.reservations.service.reading import to_read
from services.inventory.reservations.service.spreading import (
    Asking,
    list_candidates,
    possible_changes,
    spread_lines,
)
from shared.contracts.inventory.reservations import StockReserved
from shared.db import Database, driver_connection
from shared.errors import Problem
from shared.ids import new_id
from shared.money import plain
from shared.principal import Places

Reserved = ReservationRead | KeptAnswer


async def try_reservation(session: AsyncSession, asking: Asking) -> ReservationRead:
    """Return the reservation as it would be, in a transaction that is rolled back.

    Raises what it would be refused with.
    """
    [found] = await reserve_each(await driver_connection(session), [asking])
    if isinstance(found, ReservationRead):
        return found
    raise found if isinstance(found, Exception) else AssertionError("a dry run has no key")


async def reserve_group(
    database: Database, tenant_id: UUID, asked: Sequence[Asking]
) -> Sequence[Reserved | Exception]:
    """Make one tenant's reservations in a transaction of their own, each with its own answer."""
    return await ledger.in_group(database, tenant_id, asked, reserve_each)


def size_of(asking: Asking) -> int:
    return len(asking.wanted.lines)


def note_reservation(_asking: Asking, answer: Reserved) -> bool:
    """Say whether something is held now that was not."""
    return isinstance(answer, ReservationRead)


async def reserve_each(
    connection: asyncpg.Connection, asked: Sequence[Asking]
) -> list[Reserved | Exception]:
    """Hold, in their order, what all lines of each ask for, or nothing of it.

    The answer is the reservation, what its Idempotency-Key was answered with before, or why it is
    refused: ReservationTimeUnfit; of one line alone what `ledger.problem_of` returns and
    InsufficientStockAnywhere; ReservationRefused with each line that cannot be held.
    """
    candidates = await list_candidates(connection, asked)
    size = sum(size_of(asking) for asking in asked) + sum(map(len, candidates.values()))
    possible = await ledger.off_loop(
        size, lambda: [possible_changes(asking, candidates) for asking in asked]
    )
    changes = [change for lines in possible for each in lines for change in each]
    locked = await ledger.lock_all(connection, changes)
    answers = _unfit(asked) | await _find_kept(connection, asked)  # What was done once stays so.
    wanted = [
        (asking, lines)
        for asking, lines in zip(asked, possible, strict=True)
        if id(asking) not in answers
    ]
    decided = await ledger.off_loop(len(changes), _decide, wanted, locked)
    answers |= await _problems_of(connection, [each for each in decided if each.is_refused])
    granted = [each for each in decided if not each.is_refused]
    if granted:
        made = [_make(each) for each in granted]
        outcomes = [outcome for each in granted for outcome in each.outcomes]
        await ledger.write_held(connection, outcomes, locked)
        await queries.add(connection, [new for new, _ in made])
        answers |= {id(each.asking): read for each, (_, read) in zip(granted, made, strict=True)}
    return [answers[id(asking)] for asking in asked]


@dataclass(slots=True)
class _Decision:
    """What became of a reservation: of each change that it came to, with the line of each."""

    asking: Asking
    lines: Sequence[int]
    outcomes: Sequence[Outcome]
    problems: dict[int, Problem]  # Of lines, before anything was asked of single locations.
    short_of: UUID | None  # The item, if there is too little of it anywhere for its first line.

    @property
    def is_refused(self) -> bool:
        return bool(self.problems) or any(one.refusal is not None for one in self.outcomes)


def _decide(
    wanted: Iterable[tuple[Asking, Sequence[Sequence[Change]]]], locked: Locked
) -> list[_Decision]:
    """Decide reservations in their order, and bring the balances up to what was granted."""
    decided = []
    for asking, possible in wanted:
        found = spread_lines(asking, possible, locked)
        changes = [(line, change) for line, each in enumerate(found) for change in each.changes]
        changes.sort(key=lambda each: not each[1].names_parts)  # What takes the rest comes last.
        problems = {line: one.problem for line, one in enumerate(found) if one.problem is not None}
        outcomes = judge_hold(
            [change for _, change in changes],
            locked.spots, locked.balances, locked.now, locked.lots, is_foreseen=bool(problems),
        )  # fmt: skip
        lines = [line for line, _ in changes]
        decided.append(_Decision(asking, lines, outcomes, problems, found[0].short_of))
    return decided


def _unfit(asked: Iterable[Asking]) -> dict[int, Reserved | Exception]:
    """Return what is wrong with the times until which some ask to hold."""
    found: dict[int, Reserved | Exception] = {}
    for asking in asked:
        try:
            checked_end(asking.until, asking.asked_at)
        except ReservationTimeUnfit as error:
            found[id(asking)] = error
    return found


async def _find_kept(
    connection: asyncpg.Connection, asked: Sequence[Asking]
) -> dict[int, Reserved | Exception]:
    """Return what the keys of some were answered with before."""
    keyed = {(asking.actor, asking.key): id(asking) for asking in asked if asking.key is not None}
    kept = await ledger.find_kept(connection, list(keyed)) if keyed else {}
    return {keyed[key]: answer for key, answer in kept.items()}


async def _problems_of(
    connection: asyncpg.Connection, refused: Sequence[_Decision]
) -> dict[int, Problem]:
    """Return why each is refused, with what is known of where else there is some, or when."""
    if not refused:
        return {}
    told = await ledger.explained(connection, [one for each in refused for one in each.outcomes])
    rest = iter(told)
    problems: dict[int, Problem] = {}
    short: dict[Places, set[UUID]] = defaultdict(set)
    for each in refused:
        for line in each.lines:
            outcome = next(rest)
            if outcome.is_refused_itself:
                each.problems.setdefault(line, ledger.problem_of(outcome))
        problems[id(each.asking)] = problem = _refusal(each)
        if isinstance(problem, InsufficientStockAnywhere) and each.short_of is not None:
            short[each.asking.places].add(each.short_of)
    coming = await ledger.list_next_receipts(connection, short)
    for each in refused:
        problem = problems[id(each.asking)]
        if isinstance(problem, InsufficientStockAnywhere) and each.short_of is not None:
            comes = next(iter(coming.get((each.short_of, each.asking.places), ())), None)
            problem.next_receipt = None if comes is None else comes.as_told()
    return problems


def _refusal(decision: _Decision) -> Problem:
    problems = decision.problems
    if len(decision.asking.wanted.lines) == 1:
        return problems[0]
    results: list[dict[str, object]] = [
        {
            "line": line,
            "code": problem.code,
            "message": problem.detail_in(decision.asking.language),
            "available": plain(problem.available)
            if isinstance(problem, InsufficientStock | InsufficientStockAnywhere)
            else None,
        }
        for line, problem in sorted(problems.items())
    ]
    return ReservationRefused(refused=len(results), results=results)


def _make(decision: _Decision) -> tuple[NewReservation, ReservationRead]:
    """Return a reservation that is granted, as it is written and as it is read."""
    asking = decision.asking
    reservation = Reservation(
        id=new_id(),
        reference=asking.wanted.reference,
        expires_at=asking.until,
        created_at=asking.asked_at,
        created_by=asking.actor,
    )
    named = _named_holds(reservation, zip(decision.lines, decision.outcomes, strict=True))
    holds = [each.hold for each in named]
    entry = StockReserved(
        reservation_id=reservation.id,
        reference=reservation.reference,
        expires_at=reservation.expires_at,
        lines=[as_held(level_of(hold), hold.quantity) for hold in holds],
    )
    read = to_read(reservation, queries.in_order(named), asking.asked_at)
    kept = asking.keep(read) if asking.keep is not None else None
    new = NewReservation(reservation, holds, entry, asking.request_id, asking.request_key, kept)
    return new, read


def _named_holds(
    reservation: Reservation, granted: Iterable[tuple[int, Outcome]]
) -> list[NamedHold]:
    """Return what each line holds at each level, by the outcomes of what it asked."""
    found: dict[tuple[int, Level], NamedHold] = {}
    for line, outcome in granted:
        spot = outcome.spot
        if spot.item_id is None or spot.place_id is None:
            raise AssertionError("only what was found can be held")
        for part in outcome.parts:
            level = spot.item_id, spot.place_id, NO_LOT if part.lot is None else part.lot.id
            if (line, level) in found:
                hold = found[line, level].hold
                hold.quantity = hold.held = hold.quantity - part.quantity
                continue
            hold = _hold(reservation, line, level, -part.quantity)
            names = spot.code or "", spot.place or "", spot.tracking or "", part.lot
            found[line, level] = NamedHold(hold, *names)
    return list(found.values())


def _hold(reservation: Reservation, line: int, level: Level, quantity: Decimal) -> ReservationHold:
    item_id, location_id, lot_id = level
    return ReservationHold(
        reservation_id=reservation.id,
        line=line,
        item_id=item_id,
        location_id=location_id,
        lot_id=lot_id,
        quantity=quantity,
        held=quantity,
        committed=NOTHING,
        released=NOTHING,
        expired=NOTHING,
        expires_at=reservation.expires_at,
    )
