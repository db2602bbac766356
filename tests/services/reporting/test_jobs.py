import pytest

from services.reporting.inventory_value.metrics import inventory_value
from services.reporting.jobs import refresh_stock_gauges
from services.reporting.reorder_recommendations.metrics import recommendations

pytestmark = pytest.mark.stack


async def test_gauges_sum_up_all_tenants(post, follow, resources):
    await follow()
    await refresh_stock_gauges(resources)
    value = inventory_value.labels("USD")._value.get()
    low = recommendations._value.get()

    await post("/api/locations", name="Main", type="warehouse")
    await post("/api/inventory/add-item", code="A1", name="A", unit_cost="2.5", reorder_point=9)
    await post("/api/inventory/movements", kind="receipt", item="A1", location="Main", quantity=4)
    await follow()
    await refresh_stock_gauges(resources)

    assert inventory_value.labels("USD")._value.get() == pytest.approx(value + 10)
    assert recommendations._value.get() == low + 1
