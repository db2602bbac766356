"""Which items are low, by what is wished of them, and how long they will last."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.locations.service import get_named_location, list_within, places_of
from services.inventory.planning import queries
from services.inventory.planning.rules import (
    Wish,
    daily_use_of,
    is_short,
    outlook_of,
    suggested_quantity,
)
from services.inventory.planning.schemas import LowStockItem, LowStockPage, LowStockQuery
from shared.money import rounded_quantity
from shared.pagination import Keyset
from shared.principal import Places, Principal

_BY_CODE = Keyset("code", str)
_NOTHING = Decimal(0)


async def list_low_stock(
    session: AsyncSession,
    wanted: LowStockQuery,
    *,
    caller: Principal,
    language: str,
    now: datetime,
) -> LowStockPage:
    """Return one page of the items that are low, in all or at a location, by their codes.

    Raises LocationNotFound, InvalidCursor.
    """
    places = await places_of(session, caller)
    after, limit = _BY_CODE.after(wanted.cursor), wanted.limit + 1
    if wanted.location is None:
        rows = await queries.list_low(
            session, language, below=wanted.below, after=after, places=places, limit=limit
        )
    else:
        location = await get_named_location(session, wanted.location, places=places)
        places = await list_within(session, location.id)
        rows = await queries.list_low_at(
            session, language, location.id, places, below=wanted.below, after=after, limit=limit
        )
    page, next_cursor = _BY_CODE.page(rows, wanted.limit, lambda row: (row["code"],))
    items = await _projected(session, page, wanted, places=places, now=now)
    return LowStockPage(items=items, next_cursor=next_cursor)


async def _projected(
    session: AsyncSession,
    page: Sequence[RowMapping],
    wanted: LowStockQuery,
    *,
    places: Places,
    now: datetime,
) -> list[LowStockItem]:
    """Return the items with how long each will last; for these alone the ledger is read."""
    ids = [row["id"] for row in page]
    since = now - timedelta(days=wanted.use_days)
    used = await queries.sum_use(session, ids, since=since, until=now, places=places)
    under_way: dict[UUID, list[RowMapping]] = defaultdict(list)
    for row in await queries.list_under_way(session, ids, places=places):
        under_way[row["item_id"]].append(row)
    return [
        _to_read(row, _daily_use(used.get(row["id"]), wanted.use_days, now),
                 under_way[row["id"]], now)
        for row in page
    ]  # fmt: skip


def _daily_use(used: queries.Used | None, use_days: int, now: datetime) -> Decimal:
    return _NOTHING if used is None else daily_use_of(used.quantity, now - used.first_at, use_days)


def _to_read(
    row: RowMapping, daily_use: Decimal, under_way: Sequence[RowMapping], now: datetime
) -> LowStockItem:
    dated = [(each["expected_at"], each["quantity"]) for each in under_way if each["expected_at"]]
    to_come = [(at, quantity) for at, quantity in dated if at > now]
    outlook = outlook_of(row["available"], daily_use, to_come, now)
    wish = Wish(
        row["par_level"], row["reorder_point"], row["reorder_quantity"], row["maximum"],
        row["pack_size"],
    )  # fmt: skip
    on_its_way = sum((each["quantity"] for each in under_way), _NOTHING)
    days, out_at = outlook.days_of_stock, outlook.stock_out_at
    projected = {
        "daily_use": rounded_quantity(daily_use),
        "days_of_stock": None if days is None else rounded_quantity(days),
        "stock_out_on": None if out_at is None else out_at.date(),
        "expected": on_its_way,
        "expected_before": outlook.expected_before,
        "short_in_lead_time": is_short(outlook, row["lead_time_days"], now),
        "suggested_quantity": suggested_quantity(row["available"] + on_its_way, wish),
    }
    return LowStockItem.model_validate({**row, **projected})
