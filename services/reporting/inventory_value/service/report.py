"""Summing up what stock is worth."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import get_args
from uuid import UUID

from babel.numbers import get_currency_precision
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.reporting.freshness.service import find_as_of
from services.reporting.inventory_value import queries
from services.reporting.inventory_value.errors import ValuesForbidden
from services.reporting.inventory_value.queries import SealedPosition
from services.reporting.inventory_value.rules import (
    ZERO,
    Group,
    Valued,
    by_category,
    by_location,
    may_see_values,
    rounded_together,
)
from services.reporting.inventory_value.schemas import (
    Grouping,
    InventoryValueQuery,
    InventoryValueRead,
    ValueRead,
)
from services.reporting.read_models.service import find_currency
from services.reporting.resources import ReportingOwn
from shared.http import ServiceClient
from shared.i18n import N_, translate
from shared.log import log
from shared.money import rounded_amount
from shared.pagination import Keyset
from shared.principal import Principal
from shared.security.sealing import SealBroken, Sealer

# By the key of a row: an item's code, the name of a category or of a location.
ORDERS: dict[Grouping, Keyset[tuple[str]]] = {by: Keyset(by, str) for by in get_args(Grouping)}
NO_CATEGORY = N_("No category")


@dataclass(frozen=True, slots=True)
class Total:
    """What all stock is worth.

    `unvalued_items` are in stock at a cost nobody told, of `unreadable_items` the stored value
    cannot be opened; both count as zero.
    """

    amount: Decimal
    currency: str
    unvalued_items: int
    unreadable_items: int


async def get_report(
    session: AsyncSession,
    own: ReportingOwn,
    client: ServiceClient | None,
    query: InventoryValueQuery,
    *,
    caller: Principal,
    language: str,
    now: datetime,
) -> InventoryValueRead:
    """Return one page of the value of stock. Raises ValuesForbidden, InvalidCursor."""
    if not may_see_values(caller.scopes):
        raise ValuesForbidden
    order = ORDERS[query.by]
    after = order.after(query.cursor)
    as_of = await find_as_of(session, client, now=now)
    currency = await find_currency(session) or own.default_currency
    digits = get_currency_precision(currency)
    items = await _value_items(session, own.prices, caller.tenant_id, digits, language)
    rows = await _rows(session, items, query.by, digits)
    total = _total(items, currency)
    left = rows if after is None else [row for row in rows if row.key > after[0]]
    page, next_cursor = order.page(left, query.limit, lambda row: (row.key,))
    return InventoryValueRead(
        **dict(as_of),
        method=query.method,
        by=query.by,
        currency=currency,
        total=total.amount,
        unvalued_items=total.unvalued_items,
        unreadable_items=total.unreadable_items,
        items=[_to_read(row, language) for row in page],
        next_cursor=next_cursor,
    )


async def total_value(session: AsyncSession, own: ReportingOwn, tenant_id: UUID) -> Total:
    """Return what all stock of the session's tenant is worth."""
    currency = await find_currency(session) or own.default_currency
    digits = get_currency_precision(currency)
    items = await _value_items(session, own.prices, tenant_id, digits, "en")
    return _total(items, currency)


def _total(items: Sequence[Valued], currency: str) -> Total:
    return Total(
        sum((item.value for item in items), ZERO),
        currency,
        sum(item.unit_cost is None and not item.is_unreadable for item in items),
        sum(item.is_unreadable for item in items),
    )


async def _value_items(
    session: AsyncSession, sealer: Sealer, tenant_id: UUID, digits: int, language: str
) -> list[Valued]:
    rows = sorted(await queries.list_items(session), key=lambda row: row["code"])
    # Opening a hundred thousand seals takes about a second: not on the event loop.
    items = await asyncio.to_thread(
        lambda: _in_coins([_valued(row, sealer, tenant_id, language) for row in rows], digits)
    )
    unreadable = [item.item_id for item in items if item.is_unreadable]
    if unreadable:
        log.error(
            "sealed values cannot be opened", items=len(unreadable), first_item_id=unreadable[0]
        )
    return items


def _in_coins(items: Sequence[Valued], digits: int) -> list[Valued]:
    """Return the items with values in money: their sum is the exact one, rounded once."""
    values = rounded_together({item.item_id: item.value for item in items}, digits)
    return [replace(item, value=values[item.item_id]) for item in items]


def _valued(row: RowMapping, sealer: Sealer, tenant_id: UUID, language: str) -> Valued:
    """Return an item with its value; a broken seal takes no other item away."""
    sealed = SealedPosition(row["held"], row["owed"], row["amount"])
    try:
        position = sealed.opened(sealer, tenant_id, row["item_id"])
    except SealBroken:
        position = None
    return Valued(
        item_id=row["item_id"],
        key=row["code"],
        name=row["name_fr" if language == "fr" else "name_en"],
        category=row["category"],
        unit=row["unit"],
        quantity=sealed.held - sealed.owed,
        unit_cost=position.unit_cost if position else None,
        value=position.value if position else ZERO,
        is_unreadable=position is None,
    )


async def _rows(
    session: AsyncSession, items: Sequence[Valued], by: Grouping, digits: int
) -> Sequence[Valued] | Sequence[Group]:
    """Return the rows of all pages in the order of their keys."""
    match by:
        case "item":
            return items
        case "category":
            return by_category(items)
        case "location":
            levels: dict[UUID, dict[str, Decimal]] = defaultdict(dict)
            for row in await queries.list_levels(session):
                levels[row["item_id"]][row["location"]] = row["on_hand"]
            return by_location(items, levels, digits)


def _to_read(row: Valued | Group, language: str) -> ValueRead:
    if isinstance(row, Group):
        return ValueRead(
            key=row.key,
            name=row.key or translate(NO_CATEGORY, language),
            items=row.items,
            quantity=row.quantity,
            unit=None,
            unit_cost=None,
            value=row.value,
            unreadable_items=row.unreadable_items,
        )
    return ValueRead(
        key=row.key,
        name=row.name,
        items=1,
        quantity=row.quantity,
        unit=row.unit,
        unit_cost=None if row.unit_cost is None else rounded_amount(row.unit_cost),
        value=None if row.is_unreadable else row.value,
        unreadable_items=int(row.is_unreadable),
        unreadable=["unit_cost", "value"] if row.is_unreadable else [],
    )
