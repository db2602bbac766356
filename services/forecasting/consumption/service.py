"""Consumption: kept up to date from inventory's journal, derived for people and for training."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecasting.consumption import queries
from services.forecasting.consumption.errors import InvalidWindow, ItemNotFound
from services.forecasting.consumption.rules import (
    NOTHING,
    WINDOW_DAYS_MAX,
    ConsumptionDay,
    DemandHistory,
    complete_days,
    demand_history,
    is_window,
)
from services.forecasting.consumption.schemas import (
    ConsumptionDerive,
    ConsumptionDerived,
    ConsumptionRead,
    ConsumptionRecord,
)
from shared.contracts.inventory.items import ItemSaved
from shared.contracts.inventory.lots import LotSaved
from shared.contracts.inventory.movements import StockMoved
from shared.identifiers import find_id, identifier_key
from shared.journal import Entry
from shared.journal.aside import FeedEntry, is_incomplete
from shared.pagination import Keyset

_CONTRACTS: dict[str, type[Entry]] = {
    entry.name: entry for entry in (ItemSaved, LotSaved, StockMoved)
}
FOLLOWED = frozenset(_CONTRACTS)
BY_CODE = Keyset("code", str)


async def apply_entries(session: AsyncSession, entries: Sequence[FeedEntry]) -> None:
    """Take in entries of inventory's journal; of an item saved often the last one counts.

    PostgreSQL adds up the journal's own JSON; but it takes "yesterday" for a time and "NaN" for a
    number, so the contract is asked first. Raises ValidationError.
    """
    for entry in entries:
        _CONTRACTS[entry["type"]].model_validate(entry["data"])
    items = {e["data"]["item_id"]: e["data"] for e in entries if e["type"] == ItemSaved.name}
    told = [e["data"] for e in entries if e["type"] != ItemSaved.name]
    movements = [e["data"] for e in entries if e["type"] == StockMoved.name]
    if items:
        await queries.save_items(
            session, [each | {"code_key": identifier_key(each["code"])} for each in items.values()]
        )
    if movements:
        await queries.add_movements(session, movements)
    lots = [each for each in told if each.get("lot_id") and not each.get("serial")]
    if lots:
        await queries.change_lots(session, lots)


async def derive_consumption(
    session: AsyncSession, wanted: ConsumptionDerive, *, today: date
) -> ConsumptionDerived:
    """Return the consumption of one page of items.

    Raises InvalidWindow, ItemNotFound, InvalidCursor.
    """
    last_day = _last_day(wanted.from_day, wanted.to_day, today)
    as_of = await followed_until(session)
    rows = await _derived_items(session, wanted)
    page, next_cursor = BY_CODE.page(rows, wanted.limit, lambda row: (row["code"],))
    ledger = await queries.list_ledger_days(session, [row["id"] for row in page], last_day)
    records = [
        _record(row["code"], day)
        for row in page
        for day in complete_days(ledger.get(row["id"], []), wanted.from_day, last_day)
        if day.is_worth_telling
    ]
    return ConsumptionDerived.model_construct(
        derived=len(records),
        as_of=as_of,
        incomplete=await is_incomplete(session),
        records=records,
        next_cursor=next_cursor,
    )


async def get_consumption(
    session: AsyncSession, named: str, from_day: date, to_day: date, *, today: date
) -> ConsumptionRead:
    """Return every day of an item's consumption since it was first moved; by its code or id.

    Raises InvalidWindow, ItemNotFound.
    """
    last_day = _last_day(from_day, to_day, today)
    as_of = await followed_until(session)
    [(code, item_id)] = (await get_items(session, [named])).items()
    ledger = await queries.list_ledger_days(session, [item_id], last_day)
    days = complete_days(ledger.get(item_id, []), from_day, last_day)
    return ConsumptionRead.model_construct(
        item_code=code,
        as_of=as_of,
        incomplete=await is_incomplete(session),
        total=sum((day.quantity for day in days), NOTHING),
        stock_out_days=sum(day.is_stock_out for day in days),
        days=[_record(code, day) for day in days],
    )


async def find_demand(
    session: AsyncSession, item_id: UUID, *, last_day: date, days: int
) -> DemandHistory | None:
    """Return an item's demand over the last `days` days; None when it was not moved in them."""
    ledger = await queries.list_ledger_days(session, [item_id], last_day)
    first_day = last_day - timedelta(days=days - 1)
    return demand_history(complete_days(ledger.get(item_id, []), first_day, last_day))


async def get_items(session: AsyncSession, named: Sequence[str]) -> dict[str, UUID]:
    """Return the ids of items named by code or id, by code and in its order.

    Raises ItemNotFound.
    """
    return {row["code"]: row["id"] for row in await _named_items(session, named)}


async def find_item_id(session: AsyncSession, named: str) -> UUID | None:
    """Return the id of the item that a code or id names, None if there is none."""
    item_id = find_id(named)
    if item_id is not None:
        return item_id
    rows = await queries.find_items(session, [], [identifier_key(named)])
    return rows[0]["id"] if rows else None


async def list_top_items(session: AsyncSession, *, since: date, limit: int) -> dict[str, UUID]:
    """Return the ids by code of the active items issued most since a day, the most first."""
    rows = await queries.list_top_items(session, since=since, limit=limit)
    return {row["code"]: row["id"] for row in rows}


async def _derived_items(session: AsyncSession, wanted: ConsumptionDerive) -> Sequence[RowMapping]:
    """Return (id, code) of a page's items and of one more, in order of code."""
    after = BY_CODE.after(wanted.cursor)
    after_code = after[0] if after else ""
    if wanted.items is None:
        return await queries.list_items(session, after_code=after_code, limit=wanted.limit + 1)
    rows = await _named_items(session, wanted.items)
    return [row for row in rows if row["code"] > after_code][: wanted.limit + 1]


async def _named_items(session: AsyncSession, named: Sequence[str]) -> Sequence[RowMapping]:
    """Return (id, code) of items named by code or id, each once, in order of code.

    What has the form of an id is one, and never a code. Raises ItemNotFound.
    """
    wanted = {text: find_id(text) or identifier_key(text) for text in named}
    ids = [each for each in wanted.values() if isinstance(each, UUID)]
    keys = [each for each in wanted.values() if isinstance(each, str)]
    rows = await queries.find_items(session, ids, keys)
    known = {row["id"] for row in rows} | {row["code_key"] for row in rows}
    for text, each in wanted.items():
        if each not in known:
            raise ItemNotFound(item=text)
    return sorted(rows, key=lambda row: str(row["code"]))


async def followed_until(session: AsyncSession) -> datetime | None:
    """Return when the newest ledger entry known here was recorded; None before the first.

    To be read before the figures: those may be newer than what this says, never older.
    """
    return await queries.followed_until(session)


def _last_day(first_day: date, last_day: date, today: date) -> date:
    """Return the last day to tell of: nothing is known beyond today. Raises InvalidWindow."""
    if not is_window(first_day, last_day):
        raise InvalidWindow(days_max=WINDOW_DAYS_MAX)
    return min(last_day, today)


def _record(item_code: str, day: ConsumptionDay) -> ConsumptionRecord:
    return ConsumptionRecord.model_construct(
        item_code=item_code,
        date=day.day,
        quantity=day.quantity,
        received=day.received,
        unrecorded=day.unrecorded,
        on_hand=day.on_hand,
        stock_out=day.is_stock_out,
    )
