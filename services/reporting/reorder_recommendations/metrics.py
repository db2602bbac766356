"""What operators see of what is to be ordered."""

from prometheus_client import Gauge

recommendations = Gauge(
    "inventory_reorder_recommendations_total", "Items at or below their reorder point."
)
