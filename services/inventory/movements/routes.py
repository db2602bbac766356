from typing import Annotated, Any

from fastapi import Body, Depends, Query, Request, Response

from services.inventory.errors import (
    BulkRefused,
    InsufficientStock,
    MovementInFuture,
    PriceForbidden,
)
from services.inventory.items.errors import ItemNotFound, ItemRetired
from services.inventory.locations.errors import LocationNotFound
from services.inventory.movements import service
from services.inventory.movements.rules import Kind
from services.inventory.movements.schemas import (
    BulkCreate,
    BulkRead,
    MovementCreate,
    MovementPage,
    MovementRead,
)
from services.inventory.resources import PriceSealer, resources_of
from shared.clock import utc_now
from shared.limits import BULK_LIMIT_BYTES
from shared.pagination import LIMIT_DEFAULT, Cursor, InvalidCursor, Limit
from shared.principal import Principal
from shared.schemas import Moment, ShortText
from shared.web import Language, Now, Session, feature_router, problems, requires
from shared.web.answers import json_answer
from shared.web.idempotency import (
    KEY_PARAMETER,
    checked_key,
    fingerprint,
)
from shared.web.requests import request_id_of
from shared.web.route import DirectRoute

router = feature_router("/api/inventory/movements", "movements")

CanMove = Annotated[Principal, Depends(requires("stock:write"))]
CanRead = Annotated[Principal, Depends(requires("inventory:read"))]


async def record_movement(request: Request, caller: CanMove, body: MovementCreate) -> MovementRead:
    """Receive, issue, transfer, adjust or correct the stock of one item."""
    resources = resources_of(request)
    key = request.headers.get("idempotency-key")
    print_ = None
    if key is not None:
        key = checked_key(key)
        print_ = fingerprint(
            "POST", request.url.path, await request.body(), resources.fingerprint_key
        )
    asked = service.Request(caller, request_id_of(request), utc_now(), key, print_)
    movement = await service.record_movement(
        resources.own.batcher, resources.database, resources.own.prices, body, asked
    )
    resources.waker.wake(resources.service)
    return movement


router.add_api_route(
    "",
    record_movement,
    methods=["POST"],
    status_code=201,
    route_class_override=DirectRoute,
    responses=problems(
        ItemNotFound, ItemRetired, LocationNotFound, InsufficientStock, MovementInFuture,
        PriceForbidden,
    ),
    openapi_extra=KEY_PARAMETER,
)  # fmt: skip


@router.post(
    "/bulk",
    status_code=201,
    max_body_size=BULK_LIMIT_BYTES,
    response_model=BulkRead,
    responses=problems(MovementInFuture, PriceForbidden, BulkRefused),
)
async def record_bulk(
    request: Request,
    body: Annotated[BulkCreate, Body()],
    session: Session,
    caller: CanMove,
    sealer: PriceSealer,
    now: Now,
    language: Language,
) -> Response:
    """Apply up to 10,000 movements in their order: all or nothing, or whatever is possible."""
    asked = service.Request(caller, request_id_of(request), now)
    answer = await service.record_bulk(session, sealer, body, asked, language)
    return json_answer(answer, status=201)


@router.get("", responses=problems(InvalidCursor))
async def list_movements(
    session: Session,
    caller: CanRead,
    sealer: PriceSealer,
    item: Annotated[ShortText | None, Query(description="Code of an item.")] = None,
    location: Annotated[ShortText | None, Query(description="Name of a location.")] = None,
    kind: Kind | None = None,
    reference: ShortText | None = None,
    from_time: Annotated[Moment | None, Query(alias="from")] = None,
    to_time: Annotated[Moment | None, Query(alias="to")] = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> MovementPage:
    """List ledger rows, newest first; a transfer is two, one for each end."""
    asked: dict[str, Any] = {
        "item": item,
        "location": location,
        "kind": kind.value if kind else None,
        "reference": reference,
        "from_time": from_time,
        "to_time": to_time,
    }
    filters = {name: value for name, value in asked.items() if value is not None}
    return await service.list_movements(
        session, sealer, filters, cursor=cursor, limit=limit, caller=caller
    )
