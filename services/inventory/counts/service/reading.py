"""Counts as callers see them: in a blind one nothing that tells what is expected."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.counts import queries
from services.inventory.counts.errors import CountHidden, CountNotFound
from services.inventory.counts.models import Count
from services.inventory.counts.queries import LineFilter
from services.inventory.counts.rules import (
    NOTHING,
    CountState,
    Entered,
    figure_of,
    instants_of,
    is_hidden,
)
from services.inventory.counts.schemas import (
    CountEntryRead,
    CountLinePage,
    CountLineQuery,
    CountLineRead,
    CountPage,
    CountQuery,
    CountRead,
    CountScopeRead,
    CountSummaryRead,
    NamedItemRead,
    NamedRead,
)
from services.inventory.counts.service.scopes import Scope
from services.inventory.ledger.rules import TRACKS_SERIALS, item_reference, place_reference
from services.inventory.locations.service import places_of
from services.inventory.prices import service as prices
from shared.pagination import Keyset
from shared.principal import Places, Principal
from shared.security.sealing import Sealer

_NEWEST = Keyset("newest", UUID)
_BY_NUMBER = Keyset("number", int)
_TELLING = {"disputed", "differing", "beyond_tolerance"}  # Filters that tell what is expected.


async def get_known_count(
    session: AsyncSession, count_id: UUID, places: Places, *, caller: Principal, is_locked: bool
) -> Count:
    """Return a count of which the caller may know; locked, nobody else changes it meanwhile.

    Raises CountNotFound.
    """
    count = await queries.find_count(
        session, count_id, places=places, actor=caller.actor, is_locked=is_locked
    )
    if count is None:
        raise CountNotFound(count=str(count_id))
    return count


async def get_count(
    session: AsyncSession, sealer: Sealer, count_id: UUID, *, caller: Principal, language: str
) -> CountRead:
    """Return a count. Raises CountNotFound."""
    places = await places_of(session, caller)
    count = await get_known_count(session, count_id, places, caller=caller, is_locked=False)
    return await read_count(session, sealer, count, caller=caller, language=language)


async def list_counts(session: AsyncSession, wanted: CountQuery, *, caller: Principal) -> CountPage:
    """Return one page of counts, newest first. Raises InvalidCursor."""
    places = await places_of(session, caller)
    after = _NEWEST.after(wanted.cursor)
    rows = await queries.list_counts(
        session,
        state=wanted.state,
        places=places,
        actor=caller.actor,
        before_id=after[0] if after else None,
        limit=wanted.limit + 1,
    )
    page, next_cursor = _NEWEST.page(rows, wanted.limit, lambda row: (row.id,))
    progress = await queries.list_progress(session, [row.id for row in page], places=places)
    return CountPage(
        items=[_summary(count, progress.get(count.id)) for count in page], next_cursor=next_cursor
    )


async def list_lines(
    session: AsyncSession,
    sealer: Sealer,
    count_id: UUID,
    wanted: CountLineQuery,
    *,
    caller: Principal,
) -> CountLinePage:
    """Return one page of lines, in the order of walking.

    Raises CountNotFound, CountHidden, InvalidCursor.
    """
    places = await places_of(session, caller)
    count = await get_known_count(session, count_id, places, caller=caller, is_locked=False)
    after = _BY_NUMBER.after(wanted.cursor)
    if wanted.show in _TELLING and await _hides_lines(session, count, places, caller):
        raise CountHidden
    filters = LineFilter(
        places=places,
        show=wanted.show,
        item=item_reference(wanted.item) if wanted.item else None,
        location=place_reference(wanted.location) if wanted.location else None,
    )
    rows = await queries.list_lines(
        session, count_id, filters, after=after[0] if after else 0, limit=wanted.limit + 1
    )
    page, next_cursor = _BY_NUMBER.page(rows, wanted.limit, lambda row: (row["number"],))
    entries: dict[int, list[RowMapping]] = defaultdict(list)
    for entry in await queries.list_entries(session, count_id, [row["number"] for row in page]):
        entries[entry["number"]].append(entry)
    return CountLinePage(
        items=[_line(row, entries[row["number"]], count, sealer, caller) for row in page],
        next_cursor=next_cursor,
    )


async def read_count(
    session: AsyncSession, sealer: Sealer, count: Count, *, caller: Principal, language: str
) -> CountRead:
    """Return the count with its sums, of lines at the caller's locations."""
    places = await places_of(session, caller)
    sums = await queries.sum_up(session, count.id, places=places)
    hidden = _hides(count, sums["round"] or 1, caller)
    more = less = None
    if prices.may_see(caller) and not hidden:
        found = await queries.sum_differences(session, count.id, places=places)
        more, less = worth_of(found, sealer, caller)
    known = ("disputed", "differing", "beyond_tolerance", "moved")
    return CountRead.model_validate(
        {name: getattr(count, name) for name in _OWN}
        | {name: sums[name] for name in ("lines", "counted", "uncounted", "found", "to_recount")}
        | {name: None if hidden else sums[name] for name in known}
        | {
            "scope": await _scope(session, count, places, language),
            "value_difference": None if more is None or less is None else more - less,
            "value_moved": None if more is None or less is None else more + less,
        }
    )


def worth_of(
    differences: Sequence[RowMapping], sealer: Sealer, caller: Principal
) -> tuple[Decimal, Decimal]:
    """Return what is found more, and less, at the unit costs that the caller may see."""
    more = less = NOTHING
    for row in differences:
        cost = prices.open_for(sealer, row["cost_id"], row["cost_sealed"], caller=caller).amount
        more += (row["more"] or NOTHING) * (cost or NOTHING)
        less += (row["less"] or NOTHING) * (cost or NOTHING)
    return more, less


def entered(row: RowMapping) -> Entered:
    """Return an entry as the rules read it."""
    return Entered(row["counter_id"], row["quantity"], row["adds"], row["counted_at"], row["seq"])


_OWN = (
    "id", "title", "state", "blind", "tolerance_percent", "tolerance_quantity", "opened_at",
    "opened_by", "closed_at", "closed_by", "reason", "version",
)  # fmt: skip


def _hides(count: Count, line_round: int, caller: Principal) -> bool:
    """Say whether figures of a count with lines of this round are kept from the caller."""
    return is_hidden(blind=count.blind, state=count.state, line_round=line_round, caller=caller)


async def _hides_lines(
    session: AsyncSession, count: Count, places: Places, caller: Principal
) -> bool:
    """Say whether any line of the count is kept from the caller."""
    sums = await queries.sum_up(session, count.id, places=places)
    return _hides(count, sums["round"] or 1, caller)


async def _scope(
    session: AsyncSession, count: Count, places: Places, language: str
) -> CountScopeRead:
    scope = Scope.read(count.scope)
    locations = [each for each in scope.locations if places is None or each in places]
    named = {"locations": locations, "categories": scope.categories, "items": scope.items}
    rows = await queries.list_names(session, named, language)

    def of(kind: str) -> list[RowMapping]:
        return [row for row in rows if row["kind"] == kind]

    return CountScopeRead(
        locations=[NamedRead(id=row["id"], name=row["name"]) for row in of("locations")],
        with_children=scope.with_children,
        categories=[NamedRead(id=row["id"], name=row["name"]) for row in of("categories")],
        items=[NamedItemRead(id=row["id"], code=row["name"]) for row in of("items")],
    )


def _summary(count: Count, progress: RowMapping | None) -> CountSummaryRead:
    return CountSummaryRead(
        id=count.id,
        title=count.title,
        state=CountState(count.state),
        blind=count.blind,
        lines=progress["lines"] if progress else 0,
        counted=progress["counted"] if progress else 0,
        opened_at=count.opened_at,
        opened_by=count.opened_by,
        closed_at=count.closed_at,
        closed_by=count.closed_by,
    )


def _line(
    row: RowMapping,
    entries: Sequence[RowMapping],
    count: Count,
    sealer: Sealer,
    caller: Principal,
) -> CountLineRead:
    hidden = _hides(count, row["round"], caller)
    counted, counted_at = row["counted"], row["counted_at"]
    if hidden:
        entries = [each for each in entries if each["counter_id"] == caller.id]
        counted, counted_at = _own_figure(row, entries)
    cost = prices.open_for(sealer, row["cost_id"], row["cost_sealed"], caller=caller).amount
    variance: Decimal | None = row["variance"]
    value = None if cost is None or variance is None or hidden else variance * cost
    telling = ("expected", "variance", "beyond_tolerance", "disputed", "moved", "movement_id")
    return CountLineRead.model_validate(
        {name: row[name] for name in _OF_LINE}
        | {name: None if hidden else row[name] for name in telling}
        | {
            "lot": None if row["tracking"] == TRACKS_SERIALS else row["lot"],
            "serial": row["lot"] if row["tracking"] == TRACKS_SERIALS else None,
            "counted": counted,
            "counted_at": counted_at,
            "value": value,
            "entries": [_entry(each) for each in entries],
        }
    )


_OF_LINE = (
    "number", "item", "item_id", "location", "location_id", "unit", "found", "round", "result",
)  # fmt: skip


def _own_figure(row: RowMapping, entries: Sequence[RowMapping]) -> tuple[Decimal | None, object]:
    """Return what the entries of one counter in the line's present round say, and of when."""
    said = [entered(each) for each in entries if each["round"] == row["round"]]
    figure = figure_of(said, dict.fromkeys(instants_of(said), NOTHING))
    return (None, None) if figure is None else (figure.quantity, figure.counted_at)


def _entry(row: RowMapping) -> CountEntryRead:
    return CountEntryRead.model_validate({**row, "add": row["adds"]})
