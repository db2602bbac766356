from datetime import date
from typing import Annotated

from fastapi import Depends, Path, Query

from services.forecasting.consumption import service
from services.forecasting.consumption.errors import InvalidWindow, ItemNotFound
from services.forecasting.consumption.metrics import derived
from services.forecasting.consumption.rules import day_of, window_start
from services.forecasting.consumption.schemas import (
    ITEM_IN_PATH,
    ConsumptionDerive,
    ConsumptionDerived,
    ConsumptionRead,
    ItemCode,
)
from shared.pagination import InvalidCursor
from shared.principal import Principal
from shared.web import Now, Session, feature_router, problems, requires

router = feature_router("/api/ai/consumption", "consumption")

CanRead = Annotated[Principal, Depends(requires("forecast:read"))]


@router.post("/derive", responses=problems(ItemNotFound, InvalidWindow, InvalidCursor))
async def derive_consumption(
    body: ConsumptionDerive, session: Session, _caller: CanRead, now: Now
) -> ConsumptionDerived:
    """Derive the consumption of many items.

    What was used each day, by the ledger; a page of items at a time.
    """
    found = await service.derive_consumption(session, body, today=day_of(now))
    derived.inc(found.derived)
    return found


@router.get("/{item_code}", responses=problems(ItemNotFound, InvalidWindow))
async def get_consumption(
    item_code: Annotated[ItemCode, Path(description=ITEM_IN_PATH)],
    session: Session,
    _caller: CanRead,
    now: Now,
    from_day: Annotated[
        date | None, Query(alias="from", description="First day; 90 days unless given.")
    ] = None,
    to_day: Annotated[
        date | None, Query(alias="to", description="Last day; today unless given.")
    ] = None,
) -> ConsumptionRead:
    """Read the consumption of an item.

    What was used of it each day; days without stock are marked.
    """
    today = day_of(now)
    last = to_day or today
    first = from_day or window_start(last)
    return await service.get_consumption(session, item_code, first, last, today=today)
