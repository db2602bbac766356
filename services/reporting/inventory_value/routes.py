from typing import Annotated

from fastapi import Depends, Query

from services.reporting.inventory_value import service
from services.reporting.inventory_value.errors import ValuesForbidden
from services.reporting.inventory_value.schemas import InventoryValueQuery, InventoryValueRead
from services.reporting.requests import Client, Own
from shared.pagination import InvalidCursor
from shared.principal import Principal
from shared.web import Language, Now, Session, feature_router, problems, requires

router = feature_router("/api/reports/inventory-value", "inventory value")

CanReport = Annotated[Principal, Depends(requires("report:read"))]


@router.get("", responses=problems(ValuesForbidden, InvalidCursor))
async def get_inventory_value(
    session: Session,
    own: Own,
    client: Client,
    caller: CanReport,
    query: Annotated[InventoryValueQuery, Query()],
    language: Language,
    now: Now,
) -> InventoryValueRead:
    """Report the value of the inventory.

    What the stock on hand cost, by item, category or location.

    `as_of` and `lag_s` say how old the figures are. A movement counts from when it was recorded,
    whatever day it is dated. Needs the scope `price:write` or `audit:read` beside `report:read`.
    """
    return await service.get_report(
        session, own, client, query, caller=caller, language=language, now=now
    )
