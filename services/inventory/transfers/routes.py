from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from services.inventory.approvals.schemas import AWAITS_APPROVAL, location_of, status_of
from services.inventory.freezes.errors import Frozen
from services.inventory.items.errors import ItemNotFound, ItemRetired, UnknownUnit
from services.inventory.ledger.errors import (
    BalanceTooLarge,
    InsufficientStock,
    InTransit,
    LotNotFound,
    LotsNotTracked,
    QuantityInexact,
    SerialsDiffer,
    SerialsInStock,
    SerialsNeeded,
    SerialsNotThere,
    SerialsNotTracked,
    TransferInPlace,
)
from services.inventory.locations.errors import LocationNotFound, LocationRetired
from services.inventory.requests import Policy, PriceSealer
from services.inventory.transfers import service
from services.inventory.transfers.errors import (
    TransferCalledOff,
    TransferNotFound,
    TransferOverReceived,
    TransferReceivedAlready,
    TransitMissing,
)
from services.inventory.transfers.schemas import (
    TransferCancel,
    TransferCreate,
    TransferPage,
    TransferQuery,
    TransferRead,
    TransferReceiptRead,
    TransferReceive,
    TransferUpdate,
)
from shared.pagination import InvalidCursor
from shared.principal import Principal
from shared.web import Language, Now, Session, feature_router, problems, requires
from shared.web.answers import model_answer
from shared.web.etag import IfMatch
from shared.web.requests import request_id_of

router = feature_router("/api/inventory/transfers", "transfers")

CanRead = Annotated[Principal, Depends(requires("inventory:read", by_location=True))]
CanMove = Annotated[Principal, Depends(requires("stock:write", by_location=True))]


@router.get("", responses=problems(InvalidCursor))
async def list_transfers(
    session: Session, caller: CanRead, query: Annotated[TransferQuery, Query()]
) -> TransferPage:
    """List transfers.

    What is in transit unless asked otherwise, newest first.
    """
    return await service.list_transfers(session, query, caller=caller)


@router.get("/{transfer_id:uuid}", responses=problems(TransferNotFound))
async def get_transfer(transfer_id: UUID, session: Session, caller: CanRead) -> TransferRead:
    """Read a transfer."""
    return await service.get_transfer(session, transfer_id, caller=caller)


@router.post(
    "",
    status_code=201,
    responses=problems(
        TransitMissing, ItemNotFound, ItemRetired, LocationNotFound, LocationRetired, InTransit,
        TransferInPlace, InsufficientStock, BalanceTooLarge, UnknownUnit, QuantityInexact, Frozen,
        SerialsNotTracked, SerialsNeeded, SerialsDiffer, SerialsNotThere, LotsNotTracked,
        LotNotFound,
    ),
)  # fmt: skip
async def dispatch_transfer(
    body: TransferCreate, request: Request, session: Session, caller: CanMove, now: Now
) -> TransferRead:
    """Dispatch a transfer.

    The stock leaves its location and is in transit, at a location of that type, where it is
    reserved: it counts as on hand, and nobody can take it until it is received.
    """
    return await service.dispatch_transfer(
        session, body, caller=caller, request_id=request_id_of(request), now=now
    )


@router.patch(
    "/{transfer_id:uuid}",
    responses=problems(
        TransferNotFound, TransferReceivedAlready, TransferCalledOff, LocationNotFound, Frozen
    ),
)
async def change_transfer(
    transfer_id: UUID,
    body: TransferUpdate,
    session: Session,
    caller: CanMove,
    if_match: IfMatch = None,
) -> TransferRead:
    """Change when a transfer is expected.

    While it is under way. What is expected at a time still to come is promised from then on.
    """
    return await service.change_transfer(session, transfer_id, body, if_match, caller=caller)


@router.post(
    "/{transfer_id:uuid}/receive",
    response_model=TransferReceiptRead,
    responses=AWAITS_APPROVAL
    | problems(
        TransferNotFound, TransferReceivedAlready, TransferCalledOff, ItemRetired,
        LocationNotFound, LocationRetired, BalanceTooLarge, Frozen, SerialsNotTracked,
        SerialsNeeded, SerialsDiffer, SerialsInStock, UnknownUnit, QuantityInexact, ItemNotFound,
        TransferOverReceived,
    ),
)  # fmt: skip
async def receive_transfer(
    transfer_id: UUID,
    body: TransferReceive,
    request: Request,
    session: Session,
    caller: CanMove,
    sealer: PriceSealer,
    policy: Policy,
    now: Now,
    language: Language,
) -> Response:
    """Receive a transfer.

    What arrived by one delivery; what has not arrived stays in transit. A quantity without `unit`
    is in stock units, whatever it was dispatched in. More than is still in transit is refused,
    unless `over_received` says that it is meant.

    With the delivery that is final, or brings the last, what is missing is written off; what is
    more is adjusted; each with the reason code `transfer_difference`. Where that is worth more than
    you may change alone, the whole delivery waits for somebody else's approval (202): to have at
    once what arrived, receive it without `final`.
    """
    receiver = service.Receiving(caller, request_id_of(request), policy, now, language)
    found = await service.receive_transfer(session, sealer, transfer_id, body, receiver)
    return model_answer(found, status=status_of(found, done=200), location=location_of(found))


@router.post(
    "/{transfer_id:uuid}/cancel",
    responses=problems(
        TransferNotFound, TransferReceivedAlready, TransferCalledOff, ItemRetired,
        LocationNotFound, LocationRetired, BalanceTooLarge, Frozen,
    ),
)  # fmt: skip
async def cancel_transfer(
    transfer_id: UUID,
    body: TransferCancel,
    request: Request,
    session: Session,
    caller: CanMove,
    now: Now,
) -> TransferRead:
    """Cancel a transfer.

    What is still in transit goes back to where it left, the same lots and serials, by one movement;
    what has arrived stays where it is. Nothing of it can be received any more.
    """
    return await service.cancel_transfer(
        session, transfer_id, body, caller=caller, request_id=request_id_of(request), now=now
    )
