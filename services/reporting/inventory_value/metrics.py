"""What operators see of the value of all stock."""

from collections.abc import Mapping
from decimal import Decimal

from prometheus_client import Gauge

inventory_value = Gauge(
    "inventory_value_total", "What the stock on hand cost, by weighted average.", ["currency"]
)


def set_values(values: Mapping[str, Decimal]) -> None:
    """Set the gauge; a currency that nothing is valued in any more disappears."""
    inventory_value.clear()
    for currency, value in values.items():
        inventory_value.labels(currency).set(float(value))
