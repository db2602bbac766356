"""What operators see of items; read from the database on a timer."""

from prometheus_client import Gauge

items = Gauge("inventory_items_total", "Items that are not retired, of all tenants.")
