"""What lies where, now and at any past moment."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.categories.service import get_named_category
from services.inventory.items.errors import ItemNotFound
from services.inventory.items.rules import Pack, packs_of
from services.inventory.items.schemas import PackRead
from services.inventory.items.service import get_item
from services.inventory.ledger import service as ledger
from services.inventory.ledger.service import StockFilter
from services.inventory.locations.service import (
    find_places,
    get_named_location,
    list_within,
    places_of,
)
from services.inventory.stock import queries
from services.inventory.stock.schemas import (
    ItemStockQuery,
    ItemStockRead,
    LocatedItem,
    LocatedItemPage,
    LocatedItemQuery,
    LookupRead,
    LookupResult,
    LookupResults,
    PlaceStock,
    StockQuery,
    StockRead,
)
from shared.db import Database, get_database_time
from shared.gtin import item_key
from shared.i18n.localised import said_in
from shared.identifiers import find_id
from shared.pagination import Keyset
from shared.principal import Places, Principal

_BY_CODE = Keyset("code", str)
_Stock = TypeVar("_Stock", StockRead, PlaceStock)


async def look_up(database: Database, code: str, *, caller: Principal, language: str) -> LookupRead:
    """Return the item that a code, barcode or id names, and its stock. Raises ItemNotFound."""
    found = await _look_up(database, [code], caller, language)
    if not found:
        raise ItemNotFound(item=code)
    return found[1]


async def look_up_all(
    database: Database, codes: Sequence[str], *, caller: Principal, language: str
) -> LookupResults:
    """Return for each code, in their order, the item that it names, if any."""
    found = await _look_up(database, codes, caller, language)
    return LookupResults.model_construct(
        results=[
            LookupResult.model_construct(code=code, found=number in found, item=found.get(number))
            for number, code in enumerate(codes, start=1)
        ]
    )


async def _look_up(
    database: Database, codes: Sequence[str], caller: Principal, language: str
) -> dict[int, LookupRead]:
    """Return the items found, by the number of their code, from 1."""
    ids = [find_id(code) for code in codes]
    keys = [
        item_key(code) if item_id is None else None
        for code, item_id in zip(codes, ids, strict=True)
    ]
    async with database.hot(caller.tenant_id) as connection:
        places = await find_places(connection, caller)
        rows = await queries.look_up(connection, keys, ids, places=places)
    return {
        number: _lookup(list(places), language)
        for number, places in groupby(rows, key=lambda row: int(row["n"]))
    }


def _lookup(rows: list[asyncpg.Record], language: str) -> LookupRead:
    first = rows[0]
    stock = [_stock(StockRead, row) for row in rows if row["location_id"] is not None]
    on_hand = sum((place.on_hand for place in stock), Decimal(0))
    reserved = sum((place.reserved for place in stock), Decimal(0))
    return LookupRead.model_construct(
        id=first["id"],
        code=first["code"],
        name=said_in(language, first["name_en"], first["name_fr"]),
        category=said_in(language, first["category_en"], first["category_fr"]) or None,
        category_id=first["category_id"],
        unit=first["unit"],
        pack=_pack(first["packs"], first["named_unit"]),
        active=first["active"],
        on_hand=on_hand,
        reserved=reserved,
        available=sum((place.available for place in stock), Decimal(0)),
        in_transit=sum((row["on_hand"] for row in rows if row["is_transit"]), Decimal(0)),
        stock=stock,
    )


def _pack(packs: str, unit: str | None) -> PackRead | None:
    """Return the pack of this key, if there is one."""
    pack: Pack | None = None if unit is None else packs_of(packs).get(unit)
    return None if pack is None else PackRead(unit=pack.unit, quantity=pack.quantity)


async def stock_of(
    session: AsyncSession,
    item_id: UUID,
    wanted: ItemStockQuery,
    *,
    caller: Principal,
    now: datetime,
) -> ItemStockRead:
    """Return what lay of an item at the caller's locations: at `as_of`, as recorded by `known_at`.

    Without them: what lies there now. Raises ItemNotFound, KnownInFuture, NotSettledYet,
    MovementsArchived.
    """
    item = await get_item(session, item_id)
    places = await places_of(session, caller)
    as_of = await _past(session, wanted)
    rows = await ledger.stock_as_of(
        session, item_id, as_of=as_of, known_at=wanted.known_at, places=places
    )
    stock = [_stock(PlaceStock, row) for row in rows]
    return ItemStockRead(
        item_id=item.id,
        code=item.code,
        as_of=wanted.as_of or wanted.known_at or now,
        known_at=wanted.known_at,
        on_hand=sum((place.on_hand for place in stock), Decimal(0)),
        stock=stock,
    )


async def list_stock(
    session: AsyncSession, wanted: StockQuery, *, caller: Principal, language: str, now: datetime
) -> LocatedItemPage:
    """Return one page of what lies or lay at the caller's locations, or in one of them.

    Raises LocationNotFound, CategoryNotFound, CategoryAmbiguous, KnownInFuture, NotSettledYet,
    MovementsArchived, InvalidCursor.
    """
    within = await places_of(session, caller)
    if wanted.location is not None:
        location = await get_named_location(session, wanted.location, places=within)
        within = await list_within(session, location.id)
    category_id = None
    if wanted.category is not None:
        category_id = (await get_named_category(session, wanted.category)).id
    return await _list(session, wanted, within, category_id, language, now)


async def list_at_location(
    session: AsyncSession,
    name: str,
    wanted: LocatedItemQuery,
    *,
    caller: Principal,
    language: str,
    now: datetime,
) -> LocatedItemPage:
    """Return one page of what lies or lay at a location.

    Raises LocationNotFound, KnownInFuture, NotSettledYet, MovementsArchived,
    InvalidCursor.
    """
    places = await places_of(session, caller)
    location = await get_named_location(session, name, places=places)
    within = frozenset({location.id})
    if wanted.recursive:
        within = await list_within(session, location.id)
    return await _list(session, wanted, within, None, language, now)


async def _list(
    session: AsyncSession,
    wanted: StockQuery | LocatedItemQuery,
    within: Places,
    category_id: UUID | None,
    language: str,
    now: datetime,
) -> LocatedItemPage:
    rows = await ledger.list_stock(
        session,
        StockFilter(await _past(session, wanted), wanted.known_at, within, category_id),
        after=_BY_CODE.after(wanted.cursor),
        limit=wanted.limit + 1,
    )
    page, next_cursor = _BY_CODE.page(rows, wanted.limit, lambda row: (row["code"],))
    return LocatedItemPage(
        items=[
            LocatedItem.model_construct(
                **row, name=said_in(language, row["name_en"], row["name_fr"])
            )
            for row in page
        ],
        next_cursor=next_cursor,
        as_of=wanted.as_of or wanted.known_at or now,
        known_at=wanted.known_at,
    )


async def _past(
    session: AsyncSession, wanted: ItemStockQuery | StockQuery | LocatedItemQuery
) -> datetime | None:
    """Return `as_of` unless it is to come: what lies there then is what lies there now.

    By the clock of the ledger, whatever ours says. As known at a time nothing is now.
    """
    if wanted.as_of is None or wanted.known_at is not None:
        return wanted.as_of
    return None if wanted.as_of >= await get_database_time(session) else wanted.as_of


def _stock(kind: type[_Stock], row: RowMapping | asyncpg.Record) -> _Stock:
    return kind.model_construct(
        location=row["location"],
        location_id=row["location_id"],
        lot=row["lot"],
        expires_on=row["expires_on"],
        on_hand=row["on_hand"],
        reserved=row["reserved"],
        available=row["available"],
    )
