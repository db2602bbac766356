from typing import Annotated
from uuid import UUID

from fastapi import Body, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.approvals.rules import WEIGHED
from services.inventory.approvals.schemas import (
    AWAITS_APPROVAL,
    ApprovalRead,
    location_of,
    status_of,
)
from services.inventory.freezes.errors import Frozen
from services.inventory.items.errors import ItemNotFound, ItemRetired, UnknownUnit
from services.inventory.ledger.errors import (
    AlreadyReversed,
    BalanceTooLarge,
    InsufficientStock,
    InTransit,
    LotExpired,
    LotExpiryDiffers,
    LotNeeded,
    LotNotFound,
    LotsNotTracked,
    MovementInFuture,
    QuantityInexact,
    SerialsDiffer,
    SerialsInStock,
    SerialsNeeded,
    SerialsNotThere,
    SerialsNotTracked,
    TransferInPlace,
)
from services.inventory.locations import service as locations
from services.inventory.locations.errors import LocationNotFound, LocationRetired
from services.inventory.movements import service
from services.inventory.movements.errors import (
    BulkRefused,
    MovementNotFound,
    MovementUnknown,
    ReversalIsFinal,
)
from services.inventory.movements.schemas import (
    BulkCreate,
    BulkRead,
    MovementCreate,
    MovementPage,
    MovementQuery,
    MovementRead,
    MovementReasonsRead,
    ReversalCreate,
    SingleMovementRead,
)
from services.inventory.openings.errors import DatedBeforeLedger, MovementsArchived
from services.inventory.periods.errors import InClosedPeriod
from services.inventory.prices.errors import PriceForbidden
from services.inventory.requests import Policy, PriceSealer, resources_of
from shared.clock import utc_now
from shared.db import Stamp
from shared.limits import BULK_LIMIT_BYTES
from shared.pagination import InvalidCursor
from shared.principal import Principal
from shared.web import Language, Now, Session, feature_router, problems, requires
from shared.web.answers import json_answer, model_answer
from shared.web.attempts import attempted
from shared.web.dry_run import is_dry_run
from shared.web.idempotency import KEY_PARAMETER, Replay
from shared.web.requests import language_of, request_id_of
from shared.web.route import DirectRoute
from shared.web.session import answer_in_session, find_request_key

router = feature_router("/api/inventory/movements", "movements")


CanMove = Annotated[Principal, Depends(requires("stock:write", by_location=True))]
CanRead = Annotated[Principal, Depends(requires("inventory:read", by_location=True))]


async def record_movement(
    request: Request, caller: CanMove, body: MovementCreate
) -> MovementRead | Response:
    """Record a movement.

    Receives, issues, transfers, takes back or returns, writes off, adjusts or corrects the stock
    of one item.

    An item tracked by lots has as many levels at a location as lots: a receipt names one, and what
    goes out without a name comes from the lots that expire first, as many as it takes. Of an item
    tracked by serial numbers each unit is named, and lies at one location at most; a count takes
    out what it does not name.

    With a time before the latest movement of the same stock it is marked as backdated, and refused
    if too little would have lain there at any instant since. So the stock that was there at first
    is a receipt with a time before the first sale.

    A write-off, adjustment or count correction that is worth more than the caller may change alone
    changes nothing yet: it is answered 202 with an approval, which somebody else gives. So is a
    return from a customer, but for what was issued under the same `reference`.
    """
    if body.kind in WEIGHED:
        return await _record_weighed(request, caller, body)
    resources = resources_of(request)
    places = await locations.find_places_of(resources.database, caller)
    if is_dry_run(request):
        origin = service.Origin(caller, request_id_of(request), places=places)
        return await attempted(request, lambda: _tried(request, body, origin))
    key, fingerprint = await find_request_key(request)
    origin = service.Origin(caller, request_id_of(request), key, fingerprint, places)
    own, database = resources.own, resources.database
    movement, was_kept = await attempted(
        request,
        lambda: service.record_movement(own.batcher, database, own.prices, body, origin=origin),
    )
    if was_kept:
        raise Replay({"status": 201, "headers": {}, "body": movement.model_dump_json()})
    return movement


router.add_api_route(
    "",
    record_movement,
    methods=["POST"],
    status_code=201,
    route_class_override=DirectRoute,
    response_model=MovementRead,
    responses=AWAITS_APPROVAL | problems(
        ItemNotFound, ItemRetired, LocationNotFound, LocationRetired, InsufficientStock,
        BalanceTooLarge, TransferInPlace, MovementInFuture, InTransit, Frozen, InClosedPeriod,
        DatedBeforeLedger, PriceForbidden, UnknownUnit, QuantityInexact, LotsNotTracked,
        LotNeeded, LotNotFound, LotExpiryDiffers, LotExpired, SerialsNotTracked,
        SerialsNeeded, SerialsDiffer, SerialsInStock, SerialsNotThere,
    ),
    openapi_extra=KEY_PARAMETER,
)  # fmt: skip


@router.post(
    "/bulk",
    status_code=201,
    max_body_size=BULK_LIMIT_BYTES,
    response_model=BulkRead,
    responses=AWAITS_APPROVAL | problems(PriceForbidden, BulkRefused),
)
async def record_movements(
    request: Request,
    body: Annotated[BulkCreate, Body()],
    session: Session,
    caller: CanMove,
    sealer: PriceSealer,
    policy: Policy,
    language: Language,
    now: Now,
) -> Response:
    """Record many movements.

    Up to 10,000 in their order: all or nothing, or whatever is possible. What is worth more than
    the caller may change alone waits for approval: in mode each that line; of an atomic call of
    write-offs, adjustments, counts and returns alone all lines together, by their sum (202). An
    atomic call that changes more is refused, and names these lines.
    """
    origin = service.Origin(caller, request_id_of(request))
    found = await service.record_bulk(
        session, sealer, body, policy=policy, origin=origin, language=language, now=now
    )
    if isinstance(found, ApprovalRead):
        return model_answer(found, status=202, location=location_of(found))
    return json_answer(found, status=201)


@router.post(
    "/{movement_id:uuid}/reverse",
    status_code=201,
    response_model=MovementRead,
    responses=AWAITS_APPROVAL | problems(
        MovementNotFound, MovementsArchived, AlreadyReversed, ReversalIsFinal, ItemRetired,
        LocationRetired, InsufficientStock, BalanceTooLarge, InTransit, Frozen,
        InClosedPeriod, SerialsInStock, SerialsNotThere,
    ),
)  # fmt: skip
async def reverse_movement(
    movement_id: UUID,
    body: ReversalCreate,
    request: Request,
    session: Session,
    caller: CanMove,
    sealer: PriceSealer,
    policy: Policy,
    language: Language,
    now: Now,
) -> Response:
    """Reverse a movement.

    Records the opposite of all that it did, at the cost that it had, once. It is judged like any
    movement: what came and is not there any more cannot be taken back. A reversal is not reversed.
    That of a write-off, adjustment or count correction may need approval, as these do (202), and so
    may that of a receipt or a return from a customer, whose stock leaves.
    """
    origin = service.Origin(caller, request_id_of(request), language=language)
    found = await service.reverse_movement(
        session, sealer, movement_id, body, policy=policy, origin=origin, now=now
    )
    return model_answer(found, status=status_of(found, done=201), location=location_of(found))


@router.get("", responses=problems(InvalidCursor, MovementsArchived))
async def list_movements(
    wanted: Annotated[MovementQuery, Query()],
    session: Session,
    caller: CanRead,
    sealer: PriceSealer,
) -> MovementPage:
    """List movements.

    Rows of the ledger, newest first; a transfer is two, one for each end.
    """
    return await service.list_movements(session, sealer, wanted, caller=caller)


@router.get("/{movement_id:uuid}", responses=problems(MovementUnknown, MovementsArchived))
async def get_movement(
    movement_id: UUID, session: Session, caller: CanRead, sealer: PriceSealer
) -> SingleMovementRead:
    """Read a movement.

    Whole, as it was answered when it was recorded: all its lots and serials; of a transfer, at
    `location` where it left, or where it arrived for who may know of that alone.
    """
    return await service.get_movement(session, sealer, movement_id, caller=caller)


@router.get("/reason-codes")
async def list_reason_codes(_caller: CanRead, language: Language) -> MovementReasonsRead:
    """List reason codes.

    With what each is called, and the kinds of movement that take it.
    """
    return service.list_reason_codes(language)


async def _record_weighed(request: Request, caller: Principal, body: MovementCreate) -> Response:
    """Answer a movement whose value is limited: not in a group, since its costs are opened."""
    own = resources_of(request).own

    async def answer(session: AsyncSession) -> Response:
        found = await service.record_weighed(
            session,
            own.prices,
            body,
            policy=own.policy,
            origin=service.Origin(caller, request_id_of(request), language=language_of(request)),
            now=utc_now(),
        )
        return model_answer(found, status=status_of(found, done=201), location=location_of(found))

    return await answer_in_session(request, caller, answer)


async def _tried(request: Request, body: MovementCreate, origin: service.Origin) -> MovementRead:
    resources, caller = resources_of(request), origin.caller
    stamp = Stamp(caller.tenant_id, caller.actor, origin.request_id, is_trial=True)
    async with resources.database.transaction(stamp) as session:
        return await service.try_movement(session, resources.own.prices, body, origin=origin)
