from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from services.inventory.freezes.errors import Frozen
from services.inventory.items.errors import ItemNotFound, ItemRetired, UnknownUnit
from services.inventory.ledger.errors import (
    InsufficientStock,
    LotExpired,
    LotNotFound,
    LotsNotTracked,
    QuantityInexact,
    SerialsDiffer,
    SerialsNeeded,
    SerialsNotThere,
    SerialsNotTracked,
)
from services.inventory.locations import service as locations
from services.inventory.locations.errors import LocationNotFound, LocationRetired
from services.inventory.requests import resources_of
from services.inventory.reservations import service
from services.inventory.reservations.errors import (
    InsufficientStockAnywhere,
    MoreThanHeld,
    ReservationDone,
    ReservationNotFound,
    ReservationOver,
    ReservationRefused,
    ReservationTimeUnfit,
)
from services.inventory.reservations.schemas import (
    ReservationCommittedRead,
    ReservationCreate,
    ReservationPage,
    ReservationQuery,
    ReservationRead,
    ReservationTake,
    ReservationUpdate,
)
from shared.clock import utc_now
from shared.db import Stamp
from shared.errors import IdempotencyInProgress
from shared.pagination import InvalidCursor
from shared.principal import Principal
from shared.request_key import RequestKey
from shared.web import Now, Session, feature_router, problems, requires
from shared.web.answers import model_answer
from shared.web.attempts import attempted
from shared.web.dry_run import is_dry_run
from shared.web.idempotency import (
    KEY_PARAMETER,
    Keyholder,
    recall,
    sealed_answer,
)
from shared.web.requests import language_of, request_id_of
from shared.web.route import DirectRoute
from shared.web.session import find_request_key

router = feature_router("/api/inventory/reservations", "reservations")

CanRead = Annotated[Principal, Depends(requires("inventory:read", by_location=True))]
CanReserve = Annotated[Principal, Depends(requires("stock:write", by_location=True))]


async def reserve(
    request: Request, caller: CanReserve, body: ReservationCreate
) -> ReservationRead | Response:
    """Reserve stock.

    Holds what all lines ask for, or nothing. What is held is not available to others until it is
    committed, released, or its time is over; from then on it blocks nobody.

    Of an item with lots these are held lot by lot: the one that is named, or those that expire
    first, and none that has expired. Of one with serial numbers the units named, or else those
    that came first.
    """
    resources, asking = resources_of(request), await _asking(request, caller, body)
    if is_dry_run(request):
        return await attempted(request, lambda: _tried(request, asking))
    asking = await _keyed(request, asking)
    made = await attempted(request, lambda: resources.own.reserver.submit(caller.tenant_id, asking))
    if isinstance(made, ReservationRead):
        return model_answer(made, status=201)
    if made.fingerprint is None or asking.request_key is None:
        raise IdempotencyInProgress
    async with resources.database.transaction(_stamp(asking)) as session:
        raise await recall(session, _holder(caller), asking.request_key, resources.answer_sealer)


router.add_api_route(
    "",
    reserve,
    methods=["POST"],
    status_code=201,
    route_class_override=DirectRoute,
    response_model=ReservationRead,
    responses=problems(
        ItemNotFound, ItemRetired, LocationNotFound, LocationRetired, InsufficientStock,
        InsufficientStockAnywhere, ReservationRefused, ReservationTimeUnfit, Frozen, UnknownUnit,
        QuantityInexact, LotsNotTracked, LotNotFound, LotExpired, SerialsNotTracked, SerialsNeeded,
        SerialsDiffer, SerialsNotThere,
    ),
    openapi_extra=KEY_PARAMETER,
)  # fmt: skip


@router.get("", responses=problems(InvalidCursor))
async def list_reservations(
    query: Annotated[ReservationQuery, Query()], session: Session, caller: CanRead, now: Now
) -> ReservationPage:
    """List reservations.

    Newest first. Who is limited to some locations sees those that are wholly in them.
    """
    return await service.list_reservations(session, query, caller=caller, now=now)


@router.get("/{reservation_id:uuid}", responses=problems(ReservationNotFound))
async def get_reservation(
    reservation_id: UUID, session: Session, caller: CanRead, now: Now
) -> ReservationRead:
    """Show a reservation."""
    return await service.get_reservation(session, reservation_id, caller=caller, now=now)


@router.patch(
    "/{reservation_id:uuid}",
    responses=problems(
        ReservationNotFound, ReservationOver, ReservationDone, ReservationTimeUnfit, Frozen
    ),
)
async def extend_reservation(
    reservation_id: UUID, body: ReservationUpdate, session: Session, caller: CanReserve, now: Now
) -> ReservationRead:
    """Let a reservation end at another time.

    Later or sooner, while it holds something.
    """
    return await service.extend(session, reservation_id, body, caller=caller, now=now)


@router.post(
    "/{reservation_id:uuid}/commit",
    responses=problems(
        ReservationNotFound, ReservationOver, ReservationDone, MoreThanHeld, ItemRetired,
        LocationRetired, InsufficientStock, Frozen, LotExpired,
    ),
)  # fmt: skip
async def commit_reservation(
    reservation_id: UUID,
    body: ReservationTake,
    request: Request,
    session: Session,
    caller: CanReserve,
    now: Now,
) -> ReservationCommittedRead:
    """Issue what is reserved.

    All that is held, or the quantities given by line; the rest stays held. Each location that
    something goes out of has a movement of kind issue, with the reservation's reference.
    """
    return await service.issue(
        session,
        reservation_id,
        body,
        caller=caller,
        request_id=request_id_of(request),
        now=now,
    )


@router.post(
    "/{reservation_id:uuid}/release",
    responses=problems(ReservationNotFound, ReservationOver, ReservationDone, MoreThanHeld, Frozen),
)
async def release_reservation(
    reservation_id: UUID, body: ReservationTake, session: Session, caller: CanReserve, now: Now
) -> ReservationRead:
    """Release what is reserved.

    All that is held, or the quantities given by line, is available to anybody again.
    """
    return await service.release(session, reservation_id, body, caller=caller, now=now)


async def _tried(request: Request, asking: service.Asking) -> Response:
    stamp = _stamp(asking, is_trial=True)
    async with resources_of(request).database.transaction(stamp) as session:
        return model_answer(await service.try_reservation(session, asking), status=201)


async def _asking(request: Request, caller: Principal, wanted: ReservationCreate) -> service.Asking:
    """Return what is asked, and by whom."""
    return service.Asking(
        wanted,
        caller,
        request_id_of(request),
        language_of(request),
        places=await locations.find_places_of(resources_of(request).database, caller),
        asked_at=utc_now(),
    )


async def _keyed(request: Request, asking: service.Asking) -> service.Asking:
    """Return what is asked with its Idempotency-Key, and how its answer is kept under that."""
    key = await find_request_key(request)
    if not isinstance(key, RequestKey):
        return asking
    holder, sealer = _holder(asking.caller), resources_of(request).answer_sealer

    def keep(made: ReservationRead) -> str:
        return sealed_answer(model_answer(made, status=201), holder, key.text, sealer)

    return replace(asking, request_key=key, keep=keep)


def _holder(caller: Principal) -> Keyholder:
    return Keyholder(caller.actor, caller.scopes, caller.locations)


def _stamp(asking: service.Asking, *, is_trial: bool = False) -> Stamp:
    caller = asking.caller
    return Stamp(caller.tenant_id, caller.actor, asking.request_id, is_trial=is_trial)
