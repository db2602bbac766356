"""Inventory's real app on the test run's database, for its own tests and those of its followers."""

from collections.abc import Mapping
from decimal import Decimal

import httpx

from services.inventory.settings import Settings
from tests.support.database import Databases
from tests.support.services import Caller


def make_inventory_settings(databases: Databases, service_environment: dict[str, str]) -> Settings:
    return Settings(
        **service_environment,
        database_url=databases.dsn("inventory_app"),
        inventory_encryption_key="22" * 32,
        price_encryption_key="33" * 32,
        inventory_client_secret="inventory-client-secret",
    )


async def ask_for_adjustments(
    client: httpx.AsyncClient, caller: Caller, item: str, wanted: Mapping[str, Decimal]
) -> dict[str, str]:
    """Let an adjustment of an item without a cost wait for approval at each place; return which."""
    limits, headers = "/api/inventory/approvals/limits", caller.headers()
    nothing = {"limits": [], "quantity_without_cost": "0"}
    assert (await client.put(limits, json=nothing, headers=headers)).is_success
    asked = {}
    for place, quantity in wanted.items():
        body = {"kind": "adjustment", "direction": "in", "reason": "found", "item": item}
        body |= {"location": place, "quantity": str(quantity)}
        made = await client.post("/api/inventory/movements", json=body, headers=headers)
        assert made.status_code == 202, made.text
        asked[place] = made.json()["id"]
    assert (await client.put(limits, json={"limits": []}, headers=headers)).is_success
    return asked
