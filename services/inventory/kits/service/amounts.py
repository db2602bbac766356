"""What kits and their components cost."""

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.approvals.rules import Load
from services.inventory.kits.queries import Costed
from services.inventory.kits.rules import shared_value, value_gained
from services.inventory.prices import service as prices
from services.inventory.prices.service import SealedAmount
from shared.money import AMOUNT_END, AMOUNT_PLACES, rounded_amount
from shared.principal import Principal
from shared.security.sealing import Sealer

_NOTHING = Decimal(0)
_UNIT, _UNITS_MAX = Decimal("0.0001"), Decimal(10) ** 18


def sum_carried(
    sealer: Sealer,
    needs: Mapping[UUID, Decimal],
    costs: Mapping[UUID, Costed],
    *,
    kits: Decimal,
    caller: Principal,
) -> SealedAmount | None:
    """Return what a kit costs by what all of them take.

    None where that is not known of an item, or is more than an amount can be.
    """
    total = _NOTHING
    for item_id, need in needs.items():
        cost = _cost(sealer, costs[item_id], caller)
        if cost is None:
            return None
        total += need * cost
    cost = _kept(total / kits)
    return None if cost is None else prices.seal_reckoned(sealer, cost, caller=caller)


def share_out_value(
    sealer: Sealer,
    needs: Mapping[UUID, Decimal],
    costs: Mapping[UUID, Costed],
    *,
    kit: Costed,
    kits: Decimal,
    caller: Principal,
) -> dict[UUID, Decimal]:
    """Return the unit costs at which components come out of kits, each a share of what these cost.

    None of them where the cost of one, or of the kit, is not known, or a share is more than an
    amount can be: then each comes at its own.
    """
    value = _cost(sealer, kit, caller)
    own = {item_id: _cost(sealer, costs[item_id], caller) for item_id in needs}
    known = [(needs[item_id], cost) for item_id, cost in own.items() if cost is not None]
    if value is None or len(known) < len(needs):
        return {}
    shares = [_kept(share) for share in shared_value(value * kits, known) or ()]
    kept = [share for share in shares if share is not None]
    return dict(zip(own, kept, strict=True)) if len(kept) == len(own) else {}


async def find_gain(
    session: AsyncSession,
    sealer: Sealer,
    needs: Mapping[UUID, Decimal],
    costs: Mapping[UUID, Costed],
    *,
    kit: tuple[UUID, Decimal],
    caller: Principal,
) -> list[Load]:
    """Return what is to be weighed of taking kits apart: by how much the stock is worth other.

    Told in units of the kit or, if that has no cost, of a component, so that it says nothing of
    costs; nothing if it is worth the same.
    """
    kit_id, kits = kit
    known = {item_id: (item_id, costs[item_id].cost_id) for item_id in {kit_id, *needs}}
    found = await prices.find_unit_costs(
        session, sealer, {*known.values(), (kit_id, None)}, caller=caller
    )
    if any(cost.is_unreadable for cost in found.values()):
        return [Load(kit_id, kits, None, is_unreadable=True)]
    # What it cost to make the latest may be less, or more, than the cost that was set.
    kit_costs = [found[known[kit_id]].amount, found[kit_id, None].amount]
    of_parts = {item_id: found[known[item_id]].amount for item_id in needs}
    gain = value_gained(kits, kit_costs, [(needs[each], cost) for each, cost in of_parts.items()])
    units = [(kit_id, cost) for cost in kit_costs] + list(of_parts.items())
    item_id, cost = next(((each, cost) for each, cost in units if cost), (kit_id, None))
    if cost is None:
        return []
    quantity = min(max(gain / cost, -_UNITS_MAX), _UNITS_MAX).quantize(_UNIT)
    return [Load(item_id, quantity, cost)] if quantity else []


def _kept(amount: Decimal) -> Decimal | None:
    """Return an amount to six places; None if it is more than an amount can be."""
    return rounded_amount(amount) if amount < AMOUNT_END - AMOUNT_PLACES else None


def _cost(sealer: Sealer, costed: Costed, caller: Principal) -> Decimal | None:
    return prices.open_to_reckon(sealer, costed.cost_id, costed.amount, caller=caller).amount
