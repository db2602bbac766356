"""What an assembly moves: of each component by its lots, and the kits; at what they cost."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.approvals.rules import (
    Load,
)
from services.inventory.freezes import service as freezes
from services.inventory.items.models import Item
from services.inventory.items.rules import exact_product
from services.inventory.items.service import get_item, get_named_items
from services.inventory.kits import queries
from services.inventory.kits.errors import (
    AssemblyInexact,
    KitNotFound,
    PickUnfit,
)
from services.inventory.kits.queries import Costed
from services.inventory.kits.rules import Component, components_of
from services.inventory.kits.schemas import (
    AssemblyCreate,
    PickCreate,
)
from services.inventory.kits.service.amounts import (
    find_gain,
    share_out_value,
    sum_carried,
)
from services.inventory.ledger import service as ledger
from services.inventory.ledger.rules import (
    Change,
    Kind,
    LotName,
    Reference,
    lot_name,
    place_reference,
)
from services.inventory.prices import service as prices
from services.inventory.prices.service import SealedAmount
from shared.ids import new_id
from shared.principal import Places, Principal
from shared.security.sealing import Sealer

_NOTHING = Decimal(0)


class AssembledBy(NamedTuple):
    """Whose movements these are, by which request, at which known places, reckoned by whom."""

    actor: str
    request_id: str
    places: Places
    caller: Principal


class AssemblyAsked(NamedTuple):
    """Who assembles what, how many of it in stock units, and by which movement."""

    kit: Item
    wanted: AssemblyCreate
    quantity: Decimal
    picks: Mapping[UUID, Sequence[PickCreate]]
    movement_id: UUID
    by: AssembledBy

    def change(self, item_id: UUID, code: str, quantity: Decimal, *, kind: Kind) -> Change:
        return Change(
            id=new_id(),
            kind=kind,
            item=Reference(item_id, None, code),
            place=place_reference(self.wanted.location),
            actor=self.by.actor,
            request_id=self.by.request_id,
            quantity=quantity,
            occurred_at=self.wanted.occurred_at,
            reason=self.wanted.reason,
            reference=self.wanted.reference,
            places=self.by.places,
            part_of=self.movement_id,
        )


async def asking_of(
    session: AsyncSession, kit_id: UUID, wanted: AssemblyCreate, by: AssembledBy
) -> AssemblyAsked:
    """Return what is asked, of a kit that is held. Raises KitNotFound, and what names items."""
    await freezes.require_thawed(session)  # Before the kit: who replaces it takes them so too.
    if await queries.hold_kit(session, kit_id) is None:
        raise KitNotFound
    kit = await get_item(session, kit_id)
    picked = await get_named_items(session, [pick.item for pick in wanted.picks])
    picks: dict[UUID, list[PickCreate]] = {}
    for (item, _), pick in zip(picked, wanted.picks, strict=True):
        picks.setdefault(item.id, []).append(pick)
    return AssemblyAsked(
        kit,
        wanted,
        ledger.in_stock_units(kit, wanted.quantity, wanted.unit),
        picks,
        new_id(),
        by,
    )


class AssemblyPlan(NamedTuple):
    """The movements of an assembly, the kit's last, and what of them is weighed."""

    changes: list[Change]
    loads: Sequence[Load]
    cost: SealedAmount | None = None  # That a kit comes to.


async def _plan_assembly(
    session: AsyncSession, sealer: Sealer, asking: AssemblyAsked
) -> AssemblyPlan:
    wanted, caller = asking.wanted, asking.by.caller
    needs = await _needs(session, asking)
    costs = await queries.find_costs(session, [asking.kit.id, *needs])
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
    if carried is not None:  # Then nothing is worth more or less than before.
        kit = kit._replace(cost_id=carried.id, amount=carried.amount)
        return AssemblyPlan([*parts, kit], (), carried)
    loads = await _weighed(session, sealer, asking, needs, costs)
    return AssemblyPlan([*parts, kit], [load._replace(quantity=-load.quantity) for load in loads])


async def _plan_disassembly(
    session: AsyncSession, sealer: Sealer, asking: AssemblyAsked
) -> AssemblyPlan:
    wanted, kit_id, caller = asking.wanted, asking.kit.id, asking.by.caller
    needs = await _needs(session, asking)
    costs = await queries.find_costs(session, [kit_id, *needs])
    kit = asking.change(kit_id, asking.kit.code, -asking.quantity, kind=Kind.DISASSEMBLY)
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
    return AssemblyPlan([*parts, kit], await _weighed(session, sealer, asking, needs, costs))


async def _weighed(
    session: AsyncSession,
    sealer: Sealer,
    asking: AssemblyAsked,
    needs: Mapping[UUID, Decimal],
    costs: Mapping[UUID, Costed],
) -> list[Load]:
    kit = asking.kit.id, asking.quantity
    return await find_gain(session, sealer, needs, costs, kit=kit, caller=asking.by.caller)


PLANS: Mapping[str, Callable[[AsyncSession, Sealer, AssemblyAsked], Awaitable[AssemblyPlan]]] = {
    "assemble": _plan_assembly,
    "disassemble": _plan_disassembly,
}


async def _needs(session: AsyncSession, asking: AssemblyAsked) -> dict[UUID, Decimal]:
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


async def _need(session: AsyncSession, asking: AssemblyAsked, component: Component) -> Decimal:
    need = exact_product(asking.quantity, component.quantity)
    if need is None:
        item = await get_item(session, component.item_id)
        raise AssemblyInexact(component=item.code, quantity=asking.quantity)
    return need


def _part_changes(
    asking: AssemblyAsked, item_id: UUID, quantity: Decimal, costed: Costed
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


def _id_of(change: Change) -> UUID:
    if change.item.id is None:
        raise AssertionError("items of an assembly are named by their ids")
    return change.item.id


def _lot(text: str | None) -> LotName | None:
    return None if text is None else lot_name(text)


def _serials(texts: Sequence[str] | None) -> tuple[LotName, ...] | None:
    return None if texts is None else tuple(map(lot_name, texts))
