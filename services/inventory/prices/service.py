"""Costs and prices: who may see and set them, and how each is sealed for its own row."""

import base64
from collections.abc import Collection
from decimal import Decimal
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.prices import queries
from services.inventory.prices.errors import PriceForbidden
from services.inventory.prices.models import Price
from shared import journal
from shared.contracts.inventory.prices import UNIT_AMOUNT_COLUMN, PriceSet
from shared.ids import new_id
from shared.log import log
from shared.principal import Principal
from shared.security.sealing import SealBroken, Sealer, place

_SCOPE = "price:write"


class SealedAmount(NamedTuple):
    """An amount sealed for the row of this id."""

    id: UUID
    amount: bytes


class SeenAmount(NamedTuple):
    """An amount as somebody sees it; null and unreadable where its seal is broken."""

    amount: Decimal | None
    is_unreadable: bool = False


def may_see(caller: Principal) -> bool:
    """Say whether the caller may see costs and prices."""
    return caller.may(_SCOPE)


def may_set(caller: Principal) -> bool:
    """Say whether the caller may set costs and prices."""
    return caller.may(_SCOPE)


def seal(sealer: Sealer, amount: Decimal, *, caller: Principal) -> SealedAmount:
    """Return the amount sealed for a row to come. Raises PriceForbidden."""
    if not may_set(caller):
        raise PriceForbidden
    return seal_reckoned(sealer, amount, caller=caller)


def seal_reckoned(sealer: Sealer, amount: Decimal, *, caller: Principal) -> SealedAmount:
    """Return an amount that follows from others, sealed, whoever lets it be reckoned."""
    price_id = new_id()
    where = place(UNIT_AMOUNT_COLUMN, caller.tenant_id, price_id)
    return SealedAmount(price_id, sealer.seal_amount(amount, where))


def open_for(
    sealer: Sealer, price_id: UUID | None, sealed: bytes | None, *, caller: Principal
) -> SeenAmount:
    """Return the amount of a price as the caller sees it: None if he may not, or there is none.

    A broken seal takes nothing else away; it is logged.
    """
    if not may_see(caller):
        return SeenAmount(None)
    return open_to_reckon(sealer, price_id, sealed, caller=caller)


def open_to_reckon(
    sealer: Sealer, price_id: UUID | None, sealed: bytes | None, *, caller: Principal
) -> SeenAmount:
    """Return the amount of a price to reckon with, whoever asks; he does not see it."""
    if sealed is None or price_id is None:
        return SeenAmount(None)
    try:
        where = place(UNIT_AMOUNT_COLUMN, caller.tenant_id, price_id)
        return SeenAmount(sealer.open_amount(sealed, where))
    except SealBroken:
        log.error("sealed amount cannot be opened", price_id=price_id)
        return SeenAmount(None, is_unreadable=True)


def set_price(
    session: AsyncSession,
    sealer: Sealer,
    item_id: UUID,
    kind: Literal["cost", "price"],
    amount: Decimal,
    *,
    caller: Principal,
) -> UUID:
    """Set a cost or price of an item and return its row's id. Raises PriceForbidden."""
    sealed = seal(sealer, amount, caller=caller)
    session.add(
        Price(id=sealed.id, item_id=item_id, kind=kind, source="item", amount=sealed.amount)
    )
    journal.record(
        session,
        PriceSet(
            price_id=sealed.id,
            item_id=item_id,
            kind=kind,
            amount_sealed=base64.b64encode(sealed.amount).decode(),
        ),
    )
    return sealed.id


async def find_opened(
    session: AsyncSession, sealer: Sealer, *price_ids: UUID | None, caller: Principal
) -> list[SeenAmount]:
    """Return the amounts of these prices in their order, as the caller sees them."""
    wanted = [price_id for price_id in price_ids if price_id is not None]
    amounts = await queries.find_amounts(session, wanted if may_see(caller) else [])
    return [
        open_for(sealer, price_id, amounts.get(price_id) if price_id else None, caller=caller)
        for price_id in price_ids
    ]


async def find_unit_costs(
    session: AsyncSession,
    sealer: Sealer,
    wanted: Collection[tuple[UUID, UUID | None]],
    *,
    caller: Principal,
) -> dict[tuple[UUID, UUID | None], SeenAmount]:
    """Return what a unit costs, by item and the price that is known of it, to reckon with.

    Where none is, it is what the item's latest receipt with a cost says. Each price is opened once.
    """
    amounts = await queries.find_amounts(session, list({known for _, known in wanted if known}))
    latest = await queries.find_latest_costs(
        session, list({item_id for item_id, known in wanted if known is None})
    )
    opened = {
        price_id: open_to_reckon(sealer, price_id, amount, caller=caller)
        for price_id, amount in (amounts | dict(latest.values())).items()
    }
    found: dict[tuple[UUID, UUID | None], SeenAmount] = {}
    for item_id, known in wanted:
        price_id = latest[item_id][0] if known is None and item_id in latest else known
        found[item_id, known] = SeenAmount(None) if price_id is None else opened[price_id]
    return found
