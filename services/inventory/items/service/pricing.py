"""The cost and price that an item brings along, sealed."""

import base64
from decimal import Decimal
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.errors import PriceForbidden
from services.inventory.items.models import Item, Price
from services.inventory.items.schemas import ItemCreate, ItemUpdate
from shared import journal
from shared.contracts.inventory.prices import UNIT_AMOUNT_COLUMN, PriceSet
from shared.ids import new_id
from shared.principal import Principal
from shared.security.sealing import Sealer, place

SET_PRICES = "price:write"


def set_prices(
    session: AsyncSession,
    sealer: Sealer,
    item: Item,
    wanted: ItemCreate | ItemUpdate,
    *,
    caller: Principal,
) -> None:
    """Put the cost and price given in force; one that is not given stays. Raises PriceForbidden."""
    if wanted.unit_cost is not None:
        item.cost_id = _set(session, sealer, item, "cost", wanted.unit_cost, caller)
    if wanted.price is not None:
        item.price_id = _set(session, sealer, item, "price", wanted.price, caller)


def _set(
    session: AsyncSession,
    sealer: Sealer,
    item: Item,
    kind: Literal["cost", "price"],
    amount: Decimal,
    caller: Principal,
) -> UUID:
    if not caller.may(SET_PRICES):
        raise PriceForbidden
    price_id = new_id()
    sealed = sealer.seal_amount(amount, place(UNIT_AMOUNT_COLUMN, caller.tenant_id, price_id))
    session.add(Price(id=price_id, item_id=item.id, kind=kind, source="item", amount=sealed))
    journal.record(
        session,
        PriceSet(
            price_id=price_id,
            item_id=item.id,
            kind=kind,
            amount_sealed=base64.b64encode(sealed).decode(),
        ),
    )
    return price_id
