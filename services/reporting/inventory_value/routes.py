from typing import Annotated, Literal

from fastapi import Depends, Query

from services.reporting.errors import ValuesForbidden
from services.reporting.inventory_value import service
from services.reporting.inventory_value.schemas import Grouping, InventoryValueRead
from services.reporting.inventory_value.service import Asked
from services.reporting.resources import Own
from shared.pagination import LIMIT_DEFAULT, Cursor, InvalidCursor, Limit
from shared.principal import Principal
from shared.web import Language, Now, Session, feature_router, problems, requires

router = feature_router("/api/reports/inventory-value", "inventory value")

CanReport = Annotated[Principal, Depends(requires("report:read"))]


@router.get("", responses=problems(ValuesForbidden, InvalidCursor))
async def read_inventory_value(
    session: Session,
    own: Own,
    caller: CanReport,
    language: Language,
    now: Now,
    method: Annotated[Literal["wac"], Query(description="Weighted average cost.")] = "wac",  # noqa: ARG001 - one choice so far; any other is refused.
    as_of: Annotated[Literal["now"], Query(description="The present.")] = "now",  # noqa: ARG001 - same.
    format: Annotated[Literal["json"], Query()] = "json",  # noqa: A002, ARG001 - the parameter's public name; same.
    by: Grouping = "item",
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> InventoryValueRead:
    """Tell what the stock on hand cost, by item, category or location.

    Needs the scope `price:write` or `audit:read` beside `report:read`.
    """
    asked = Asked(by, cursor, limit, language, now)
    return await service.read_report(session, own, asked, caller=caller)
