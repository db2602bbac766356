"""Making kits of their components and taking them apart: all of one assembly or nothing."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.freezes import service as freezes
from services.inventory.items.models import Item
from services.inventory.items.rules import exact_product
from services.inventory.items.service import get_item, get_named_items
from services.inventory.kits import queries
from services.inventory.kits.errors import (
    AssemblyInexact,
    AssemblyRefused,
    KitNotFound,
    PickUnfit,
)
from services.inventory.kits.queries import Costed
from services.inventory.kits.rules import Component, components_of
from services.inventory.kits.schemas import (
    AssemblyCreate,
    AssemblyMovement,
    AssemblyRead,
    PickCreate,
)
from services.inventory.kits.service.amounts import in_stock_units, share_out_value, sum_carried
from services.inventory.ledger import service as ledger
from services.inventory.ledger.errors import InsufficientStock
from services.inventory.ledger.rules import (
    Change,
    Kind,
    LotName,
    Outcome,
    Reference,
    lot_name,
    place_reference,
)
from services.inventory.locations.service import places_of
from services.inventory.movements.schemas import LotQuantityRead
from services.inventory.prices import service as prices
from shared.ids import new_id
from shared.money import plain
from shared.principal import Places, Principal
from shared.security.sealing import Sealer

_NOTHING = Decimal(0)


async def assemble_kit(
    session: AsyncSession,
    sealer: Sealer,
    kit_id: UUID,
    wanted: AssemblyCreate,
    *,
    caller: Principal,
    request_id: str,
    language: str,
) -> AssemblyRead:
    """Take the components of kits out of stock and put the kits in, at what these cost together.

    Raises KitNotFound, UnknownUnit, QuantityInexact, AssemblyInexact, PickUnfit; what
    `ledger.problem_of` returns, of one item alone; AssemblyRefused with each item that refuses.
    """
    asking = await _asking(session, kit_id, wanted, caller=caller, request_id=request_id)
    needs = await _needs(session, asking)
    costs = await queries.find_costs(session, list(needs))
    carried = sum_carried(sealer, needs, costs, kits=asking.quantity, caller=caller)
    parts = [
        change
        for item_id in needs
        for change in _part_changes(asking, item_id, -needs[item_id], costs[item_id])
    ]
    kit = asking.change(asking.kit.id, asking.kit.code, asking.quantity, kind=Kind.ASSEMBLY)
    kit = kit._replace(
        id=asking.movement_id,
        lot=_lot(wanted.lot),
        serials=_serials(wanted.serials),
        expires_on=wanted.expires_on,
    )
    if carried is not None:
        kit = kit._replace(cost_id=carried.id, amount=carried.amount)
    outcomes = await _applied(session, [*parts, kit], language)
    seen = prices.open_for(
        sealer,
        None if carried is None else carried.id,
        None if carried is None else carried.amount,
        caller=caller,
    )
    return _to_read(outcomes, asking, seen.amount)


async def disassemble_kit(
    session: AsyncSession,
    sealer: Sealer,
    kit_id: UUID,
    wanted: AssemblyCreate,
    *,
    caller: Principal,
    request_id: str,
    language: str,
) -> AssemblyRead:
    """Take kits out of stock and put their components in, which share what the kits cost.

    Each bears as much of it as it costs itself beside the others; where the cost of one is not
    known they come at their own. Raises what `assemble_kit` raises.
    """
    asking = await _asking(session, kit_id, wanted, caller=caller, request_id=request_id)
    needs = await _needs(session, asking)
    costs = await queries.find_costs(session, [kit_id, *needs])
    kit = asking.change(asking.kit.id, asking.kit.code, -asking.quantity, kind=Kind.DISASSEMBLY)
    kit = kit._replace(
        id=asking.movement_id,
        lot=_lot(wanted.lot),
        serials=_serials(wanted.serials),
        cost_id=costs[kit_id].cost_id,
    )
    shares = share_out_value(
        sealer, needs, costs, kit=costs[kit_id], kits=asking.quantity, caller=caller
    )
    parts = [
        change
        for item_id, quantity in needs.items()
        for change in _part_changes(asking, item_id, quantity, costs[item_id])
    ]
    if shares:  # Each movement brings a cost of its own.
        parts = [
            part._replace(cost_id=share.id, amount=share.amount)
            for part in parts
            for share in [prices.seal_reckoned(sealer, shares[_id_of(part)], caller=caller)]
        ]
    outcomes = await _applied(session, [*parts, kit], language)
    return _to_read(outcomes, asking, None)


class _Asking(NamedTuple):
    """Who assembles what, how many of it in stock units, and by which movement."""

    kit: Item
    wanted: AssemblyCreate
    quantity: Decimal
    picks: Mapping[UUID, Sequence[PickCreate]]
    movement_id: UUID
    caller: Principal
    request_id: str
    places: Places

    def change(self, item_id: UUID, code: str, quantity: Decimal, *, kind: Kind) -> Change:
        return Change(
            id=new_id(),
            kind=kind,
            item=Reference(item_id, None, code),
            place=place_reference(self.wanted.location),
            actor=self.caller.actor,
            request_id=self.request_id,
            quantity=quantity,
            occurred_at=self.wanted.occurred_at,
            reason=self.wanted.reason,
            reference=self.wanted.reference,
            places=self.places,
            part_of=self.movement_id,
        )


async def _asking(
    session: AsyncSession,
    kit_id: UUID,
    wanted: AssemblyCreate,
    *,
    caller: Principal,
    request_id: str,
) -> _Asking:
    await freezes.require_thawed(session)  # Before the kit: who replaces it takes them so too.
    if await queries.hold_kit(session, kit_id) is None:
        raise KitNotFound
    kit = await get_item(session, kit_id)
    picked = await get_named_items(session, [pick.item for pick in wanted.picks])
    picks: dict[UUID, list[PickCreate]] = {}
    for (item, _), pick in zip(picked, wanted.picks, strict=True):
        picks.setdefault(item.id, []).append(pick)
    return _Asking(
        kit,
        wanted,
        in_stock_units(kit, wanted.quantity, wanted.unit),
        picks,
        new_id(),
        caller,
        request_id,
        await places_of(session, caller),
    )


async def _needs(session: AsyncSession, asking: _Asking) -> dict[UUID, Decimal]:
    """Return how much of each component all the kits take. Raises AssemblyInexact, PickUnfit."""
    structure = await queries.list_structure(session, asking.kit.id)
    components = components_of(asking.kit.id, structure, explode=asking.wanted.explode)
    needs = {each.item_id: await _need(session, asking, each) for each in components}
    for item_id, picks in asking.picks.items():
        needed = needs.get(item_id, _NOTHING)
        picked = sum((pick.picked or _NOTHING for pick in picks), _NOTHING)
        open_ended = sum(pick.picked is None for pick in picks)
        if picked > needed or (open_ended and picked == needed) or open_ended > 1:
            raise PickUnfit(component=picks[0].item, picked=picked, needed=needed)
    return needs


async def _need(session: AsyncSession, asking: _Asking, component: Component) -> Decimal:
    need = exact_product(asking.quantity, component.quantity)
    if need is None:
        item = await get_item(session, component.item_id)
        raise AssemblyInexact(component=item.code, quantity=asking.quantity)
    return need


def _part_changes(
    asking: _Asking, item_id: UUID, quantity: Decimal, costed: Costed
) -> list[Change]:
    """Return what happens to a component: by the lots that are picked, the rest without one.

    The quantity is what it adds at the location.
    """
    kind = Kind.ASSEMBLY if quantity < 0 else Kind.DISASSEMBLY
    sign = -1 if quantity < 0 else 1
    whole = asking.change(item_id, costed.code, quantity, kind=kind)._replace(
        cost_id=costed.cost_id
    )
    left, changes = abs(quantity), []
    for pick in sorted(asking.picks.get(item_id, ()), key=lambda pick: pick.picked is None):
        part = left if pick.picked is None else pick.picked
        changes.append(
            whole._replace(
                id=new_id(),
                quantity=sign * part,
                lot=_lot(pick.lot),
                serials=_serials(pick.serials),
                expires_on=pick.expires_on if sign > 0 else None,
            )
        )
        left -= part
    return [*changes, whole._replace(quantity=sign * left)] if left else changes


async def _applied(
    session: AsyncSession, changes: Sequence[Change], language: str
) -> list[Outcome]:
    """Apply all of the changes and return their outcomes. Raises what refuses them."""
    outcomes = await ledger.apply(session, changes, atomic=True)
    refused = [
        (outcome, ledger.problem_of(outcome)) for outcome in outcomes if outcome.is_refused_itself
    ]
    if not refused:
        return outcomes
    if (
        len({problem.detail_in(language) for _, problem in refused}) == 1
    ):  # Of the place, or of one.
        raise refused[0][1]
    raise AssemblyRefused(
        refused=len(refused),
        results=[
            {
                "item": outcome.spot.code or outcome.change.item.text,
                "code": problem.code,
                "message": problem.detail_in(language),
                "available": plain(problem.available)
                if isinstance(problem, InsufficientStock)
                else None,
            }
            for outcome, problem in refused
        ],
    )


def _to_read(
    outcomes: Sequence[Outcome], asking: _Asking, unit_cost: Decimal | None
) -> AssemblyRead:
    kit = outcomes[-1]
    if kit.spot.place_id is None or kit.spot.place is None or kit.occurred_at is None:
        raise AssertionError("what was granted was found")
    return AssemblyRead(
        id=asking.movement_id,
        item=asking.kit.code,
        item_id=asking.kit.id,
        location=kit.spot.place,
        location_id=kit.spot.place_id,
        quantity=asking.quantity,
        unit_cost=unit_cost,
        occurred_at=kit.occurred_at,
        movements=[_movement(outcome) for outcome in outcomes],
    )


def _movement(outcome: Outcome) -> AssemblyMovement:
    if outcome.spot.item_id is None or outcome.spot.code is None:
        raise AssertionError("what was granted was found")
    return AssemblyMovement(
        id=outcome.change.id,
        item=outcome.spot.code,
        item_id=outcome.spot.item_id,
        change=outcome.quantity,
        balance_after=outcome.balance,
        lots=[
            LotQuantityRead(lot=part.lot.code, quantity=abs(part.quantity))
            for part in outcome.parts
            if part.lot is not None and not outcome.spot.has_serials
        ],
        serials=[
            part.lot.code
            for part in outcome.parts
            if part.lot is not None and part.lot.code is not None and outcome.spot.has_serials
        ],
    )


def _id_of(change: Change) -> UUID:
    if change.item.id is None:
        raise AssertionError("items of an assembly are named by their ids")
    return change.item.id


def _lot(text: str | None) -> LotName | None:
    return None if text is None else lot_name(text)


def _serials(texts: Sequence[str] | None) -> tuple[LotName, ...] | None:
    return None if texts is None else tuple(map(lot_name, texts))
