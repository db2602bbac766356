"""How much to order by the reorder point, where no forecast is at hand."""

from decimal import ROUND_CEILING, Context, Decimal

_EXACT = Context(prec=60)
ZERO = Decimal(0)


def order_quantity(
    on_hand: Decimal,
    *,
    reorder_point: Decimal,
    reorder_quantity: Decimal | None,
    par_level: Decimal | None,
    pack_size: Decimal,
) -> Decimal:
    """Return what to order now, in stock units: whole packs, 0 above the reorder point.

    At least the usual quantity, and what brings stock up to the par level, or the reorder point
    where there is none; at least one pack.
    """
    if on_hand > reorder_point:
        return ZERO
    target = max(reorder_point, par_level or ZERO)
    wanted = max(target - on_hand, reorder_quantity or ZERO, pack_size)
    packs = _EXACT.divide(wanted, pack_size).to_integral_value(ROUND_CEILING)
    return _EXACT.multiply(packs, pack_size)
