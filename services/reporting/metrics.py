"""What operators see of the stock as a whole, over all tenants, and of the cache."""

from collections.abc import Mapping
from decimal import Decimal

from prometheus_client import Gauge

inventory_value = Gauge(
    "inventory_value_total", "What the stock on hand cost, by weighted average.", ["currency"]
)
recommendations = Gauge(
    "inventory_reorder_recommendations_total", "Items at or below their reorder point."
)
cache_size = Gauge("cache_size_bytes", "What the values in the cache take.")
cache_memory_usage = Gauge("cache_memory_usage_bytes", "What the cache takes in all.")


def set_stock(values: Mapping[str, Decimal], low: int) -> None:
    """Set the gauges; a currency that nothing is valued in any more disappears."""
    inventory_value.clear()
    for currency, value in values.items():
        inventory_value.labels(currency).set(float(value))
    recommendations.set(low)
