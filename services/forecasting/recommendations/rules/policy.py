"""How an item is bought, from what is known of it."""

from decimal import Decimal

from services.forecasting.recommendations.rules.replenishment import OrderPolicy

LEAD_TIME_DAYS_DEFAULT = 7  # For items that nobody said one for.
SERVICE_LEVEL = 0.95
WHOLE_UNIT = Decimal(1)


def order_policy(
    lead_time_days: int | None, pack_size: Decimal, reorder_quantity: Decimal | None
) -> OrderPolicy:
    """Return the policy of an item; `reorder_quantity` is the least to order, in stock units."""
    return OrderPolicy(
        lead_time_days=LEAD_TIME_DAYS_DEFAULT if lead_time_days is None else lead_time_days,
        service_level=SERVICE_LEVEL,
        pack_size=pack_size,
        minimum_order=reorder_quantity or Decimal(0),
        unit_step=min(WHOLE_UNIT, pack_size),
    )
