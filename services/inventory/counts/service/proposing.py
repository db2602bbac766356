"""Proposals of what to count next, and opening a count of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.categories.service import get_named_category
from services.inventory.counts import queries
from services.inventory.counts.queries import Covered, Intervals
from services.inventory.counts.rules import AbcClass, classify
from services.inventory.counts.schemas import CycleCreate, ProposalPage, ProposalQuery, ProposalRead
from services.inventory.counts.service.scopes import Scope, bounds_of
from services.inventory.locations.service import get_named_location, places_of
from services.inventory.prices import service as prices
from shared.pagination import Keyset
from shared.principal import Principal
from shared.security.sealing import Sealer

_BY_DUE = Keyset("due", datetime, UUID, UUID, UUID)


class _Plan(Protocol):
    """How often each class is counted, and by the issues of how many days it is made."""

    @property
    def window_days(self) -> int: ...
    @property
    def a_days(self) -> int: ...
    @property
    def b_days(self) -> int: ...
    @property
    def c_days(self) -> int: ...


class _Classes(NamedTuple):
    """Classes of items that were issued; all others are C."""

    of: Mapping[UUID, AbcClass]
    by: Literal["value", "quantity"]


async def list_proposals(
    session: AsyncSession,
    sealer: Sealer,
    wanted: ProposalQuery,
    *,
    caller: Principal,
    now: datetime,
) -> ProposalPage:
    """Return one page of what to count, what is most overdue first.

    Raises LocationNotFound, CategoryNotFound, InvalidCursor.
    """
    after = _BY_DUE.after(wanted.cursor)
    places = await places_of(session, caller)
    location = category = None
    if wanted.location is not None:
        location = await get_named_location(session, wanted.location, places=places)
    if wanted.category is not None:
        category = await get_named_category(session, wanted.category)
    scope = Scope(
        locations=() if location is None else (location.id,),
        categories=() if category is None else (category.id,),
    )
    covered = await bounds_of(session, scope, places)
    classes = await _classes(session, sealer, covered, wanted, caller=caller, now=now)
    rows = await queries.list_due(
        session,
        covered,
        _intervals(classes, wanted),
        is_due=wanted.due,
        now=now,
        after=after,
        limit=wanted.limit + 1,
    )
    page, next_cursor = _BY_DUE.page(rows, wanted.limit, _key)
    return ProposalPage(
        items=[_proposal(row, classes, now) for row in page],
        next_cursor=next_cursor,
        classified_by=classes.by,
    )


async def list_most_overdue(
    session: AsyncSession,
    sealer: Sealer,
    cycle: CycleCreate,
    covered: Covered,
    *,
    caller: Principal,
    now: datetime,
) -> Sequence[RowMapping]:
    """Return the levels that are due, the most overdue first, as many as the cycle takes."""
    classes = await _classes(session, sealer, covered, cycle, caller=caller, now=now)
    return await queries.list_due(
        session,
        covered,
        _intervals(classes, cycle),
        is_due=True,
        now=now,
        after=None,
        limit=cycle.lines_max,
    )


async def _classes(
    session: AsyncSession,
    sealer: Sealer,
    covered: Covered,
    plan: _Plan,
    *,
    caller: Principal,
    now: datetime,
) -> _Classes:
    """Return the classes of items by what was issued at these places.

    They are reckoned by costs, whoever asks, so that an item has one class for all; no cost shows.
    """
    since = now - timedelta(days=plan.window_days)
    issued: dict[UUID, Decimal] = {}
    worth: dict[UUID, Decimal] = {}
    for row in await queries.sum_issued(session, covered, since=since):
        issued[row["item_id"]] = row["issued"]
        cost = prices.open_to_reckon(sealer, row["cost_id"], row["cost_sealed"], caller=caller)
        if cost.amount is not None:
            worth[row["item_id"]] = row["issued"] * cost.amount
    return _Classes(classify(worth or issued), "value" if worth else "quantity")


def _intervals(classes: _Classes, plan: _Plan) -> Intervals:
    days = {AbcClass.A: plan.a_days, AbcClass.B: plan.b_days, AbcClass.C: plan.c_days}
    of = {item_id: days[name] for item_id, name in classes.of.items()}
    return Intervals(of, others=plan.c_days)


def _key(row: RowMapping) -> tuple[datetime, UUID, UUID, UUID]:
    return row["due_at"], row["item_id"], row["location_id"], row["lot_id"]


def _proposal(row: RowMapping, classes: _Classes, now: datetime) -> ProposalRead:
    was_counted = row["last_counted_at"] is not None
    return ProposalRead.model_validate(
        {
            **row,
            "abc_class": classes.of.get(row["item_id"], AbcClass.C),
            "due_at": row["due_at"] if was_counted else None,
            "due": row["due_at"] <= now,
        }
    )
