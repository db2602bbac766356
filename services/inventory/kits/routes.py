from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from services.inventory.approvals.schemas import AWAITS_APPROVAL, location_of, status_of
from services.inventory.freezes.errors import Frozen
from services.inventory.items.errors import ItemNotFound, ItemRetired, UnknownUnit
from services.inventory.kits import service
from services.inventory.kits.errors import (
    AssemblyInexact,
    AssemblyRefused,
    ComponentTwice,
    KitExists,
    KitInItself,
    KitNotFound,
    KitOutlastsComponents,
    KitTooDeep,
    PickUnfit,
)
from services.inventory.kits.schemas import (
    AssemblyCreate,
    AssemblyRead,
    KitAvailability,
    KitAvailabilityQuery,
    KitCreate,
    KitPage,
    KitQuery,
    KitRead,
    KitReplace,
)
from services.inventory.ledger.errors import (
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
)
from services.inventory.locations.errors import LocationNotFound, LocationRetired
from services.inventory.openings.errors import DatedBeforeLedger
from services.inventory.periods.errors import InClosedPeriod
from services.inventory.requests import Policy, PriceSealer
from shared.pagination import InvalidCursor
from shared.principal import Principal
from shared.web import Language, Now, Session, feature_router, problems, requires
from shared.web.answers import model_answer
from shared.web.etag import IfMatch
from shared.web.requests import request_id_of

router = feature_router("/api/inventory/kits", "kits")

CanRead = Annotated[Principal, Depends(requires("inventory:read", by_location=True))]
CanWrite = Annotated[Principal, Depends(requires("inventory:write"))]
CanMove = Annotated[Principal, Depends(requires("stock:write", by_location=True))]
ASSEMBLY_PROBLEMS = problems(
    KitNotFound, AssemblyRefused, AssemblyInexact, PickUnfit, KitOutlastsComponents,
    ItemNotFound, ItemRetired,
    LocationNotFound, LocationRetired, InsufficientStock, BalanceTooLarge, MovementInFuture,
    InTransit, Frozen, InClosedPeriod, DatedBeforeLedger, UnknownUnit, QuantityInexact,
    LotsNotTracked, LotNeeded,
    LotNotFound, LotExpiryDiffers, LotExpired, SerialsDiffer, SerialsInStock, SerialsNeeded,
    SerialsNotThere, SerialsNotTracked,
)  # fmt: skip


@router.get("", responses=problems(InvalidCursor))
async def list_kits(
    session: Session, _caller: CanRead, language: Language, query: Annotated[KitQuery, Query()]
) -> KitPage:
    """List kits.

    With what each is made of, by their codes; or those that are made of one item.
    """
    return await service.list_kits(session, query, language=language)


@router.post(
    "",
    status_code=201,
    responses=problems(
        ItemNotFound,
        UnknownUnit,
        QuantityInexact,
        ComponentTwice,
        KitExists,
        KitInItself,
        KitTooDeep,
        Frozen,
    ),
)
async def add_kit(
    body: KitCreate, session: Session, _caller: CanWrite, language: Language, now: Now
) -> KitRead:
    """Add a kit.

    Says of an item what it is made of. A component may be a kit itself, though none that is made of
    this one.
    """
    return await service.add_kit(session, body, language=language, now=now)


@router.get("/{kit_id:uuid}", responses=problems(KitNotFound))
async def get_kit(kit_id: UUID, session: Session, _caller: CanRead, language: Language) -> KitRead:
    """Read a kit."""
    return await service.get_kit(session, kit_id, language=language)


@router.put(
    "/{kit_id:uuid}",
    responses=problems(
        KitNotFound,
        ItemNotFound,
        UnknownUnit,
        QuantityInexact,
        ComponentTwice,
        KitInItself,
        KitTooDeep,
        Frozen,
    ),
)
async def replace_kit(
    kit_id: UUID,
    body: KitReplace,
    session: Session,
    _caller: CanWrite,
    language: Language,
    now: Now,
    if_match: IfMatch = None,
) -> KitRead:
    """Replace a kit's components.

    What was assembled before stays as it is.
    """
    return await service.replace_kit(session, kit_id, body, if_match, language=language, now=now)


@router.delete(
    "/{kit_id:uuid}", status_code=204, responses=problems(KitNotFound, ItemNotFound, Frozen)
)
async def remove_kit(
    kit_id: UUID, session: Session, _caller: CanWrite, now: Now, if_match: IfMatch = None
) -> None:
    """Remove a kit.

    The item stays, with its stock; it is not made of anything any more.
    """
    await service.remove_kit(session, kit_id, if_match, now=now)


@router.get("/{kit_id:uuid}/availability", responses=problems(KitNotFound, LocationNotFound))
async def get_kit_availability(
    kit_id: UUID,
    session: Session,
    caller: CanRead,
    language: Language,
    query: Annotated[KitAvailabilityQuery, Query()],
) -> KitAvailability:
    """Read how many of a kit can be had.

    What is available of it, how many more could be assembled of what is available, and which
    component is short; in all locations together, or at one with all that lies in it.
    """
    return await service.get_availability(session, kit_id, query, caller=caller, language=language)


@router.post(
    "/{kit_id:uuid}/assemble",
    status_code=201,
    response_model=AssemblyRead,
    responses=AWAITS_APPROVAL | ASSEMBLY_PROBLEMS,
)
async def assemble_kit(
    kit_id: UUID,
    body: AssemblyCreate,
    request: Request,
    session: Session,
    caller: CanMove,
    sealer: PriceSealer,
    language: Language,
    policy: Policy,
    now: Now,
) -> Response:
    """Assemble kits.

    Their components leave the location and the kits come, all or nothing. A kit costs what its
    components cost together: each its `unit_cost` or, where none is set, what it came at last.
    Where that is not known, and kits and components are worth other by more than the caller may
    change alone, it waits for approval (202).
    """
    by = service.Assembler(caller, request_id_of(request), language, policy, now)
    found = await service.assemble_kit(session, sealer, kit_id, body, by)
    return model_answer(found, status=status_of(found, done=201), location=location_of(found))


@router.post(
    "/{kit_id:uuid}/disassemble",
    status_code=201,
    response_model=AssemblyRead,
    responses=AWAITS_APPROVAL | ASSEMBLY_PROBLEMS,
)
async def disassemble_kit(
    kit_id: UUID,
    body: AssemblyCreate,
    request: Request,
    session: Session,
    caller: CanMove,
    sealer: PriceSealer,
    language: Language,
    policy: Policy,
    now: Now,
) -> Response:
    """Take kits apart.

    The kits leave the location and their components come, all or nothing; these share what the kits
    cost, each in proportion to its own cost. Where they are worth other than the kits by more than
    the caller may change alone, as those of another definition than the kits were made by may be,
    it waits for approval (202).
    """
    by = service.Assembler(caller, request_id_of(request), language, policy, now)
    found = await service.disassemble_kit(session, sealer, kit_id, body, by)
    return model_answer(found, status=status_of(found, done=201), location=location_of(found))
