"""Costs and prices, which not everybody may see, looked for in everything that can be read."""

from decimal import Decimal

import pytest

from services.auth.users.rules import SCOPES
from services.reporting.inventory_value.rules import SEES_VALUES
from tests.attack.documents import Document, Operation
from tests.attack.world import COST, Client, Person, World, new_person, post
from tests.support.waiting import eventually

FINE = ("", "?limit=200", "?by=item", "?q=", "?lang=fr")


def readings(document: Document, things: dict[str, str]) -> list[tuple[Operation, str]]:
    """Every operation that reads, on the things that have a price."""
    return [
        (operation, operation.at(things))
        for operation in document.operations
        if operation.method == "GET" and things.keys() >= set(operation.parameters)
    ]


async def shown_to(
    client: Client, person: Person, document: Document, things: dict[str, str], secrets: set[str]
) -> list[str]:
    """Return where somebody sees one of these amounts, in whatever he can read."""
    seen = []
    for operation, path in readings(document, things):
        for query in FINE:
            if query and query.strip("?").partition("=")[0] not in operation.queries:
                continue
            asked = f"{query}{things['code']}" if query == "?q=" else query
            answer = await client.get(path + asked, headers=person.headers)
            if any(secret in answer.text for secret in secrets):
                seen.append(f"GET {path}{asked} shows {answer.text[:300]}")
    return seen


@pytest.mark.asvs("D04")
async def test_who_may_not_see_prices_sees_none_anywhere(attempts, client, world: World, document):
    tenant = world.attacker
    path = f"/api/inventory/{tenant.things['item_id']}/stock"
    stock = await client.get(path, headers=tenant.boss.headers)
    value = Decimal(COST) * Decimal(stock.json()["on_hand"])
    secrets = {COST, str(value), f"{value:.2f}", str(value.normalize())}

    async def is_valued() -> bool:
        """Reports have followed: who may see prices finds them there, and with the item."""
        seen = await shown_to(client, tenant.boss, document, tenant.things, secrets)
        return any("/api/reports" in where for where in seen) and any(
            "/api/inventory" in where for where in seen
        )

    await eventually(is_valued)
    with attempts.of("prices: whatever can be read, by who may not see them") as attack:
        for role in (role for role, scopes in SCOPES.items() if SEES_VALUES.isdisjoint(scopes)):
            person = await new_person(world.client, tenant, role)
            seen = await shown_to(client, person, document, tenant.things, secrets)
            attack.note(not seen, f"{role}: {seen}")
        key = {"name": "reader", "scopes": ["inventory:read", "report:read", "forecast:read"]}
        made = await post(client, tenant.boss, "/api/auth/api-keys", key)
        machine = Person("", "", "", "", made["key"], "")
        seen = await shown_to(client, machine, document, tenant.things, secrets)
        attack.note(not seen, f"a machine: {seen}")
    with attempts.of("prices: set, filtered or sorted by who may not see them") as attack:
        clerk = world.people["clerk"]
        receipt = {"kind": "receipt", "item": tenant.things["code"], "quantity": "1"}
        receipt |= {"location": tenant.things["name"], "unit_cost": "0.01"}
        answer = await client.post("/api/inventory/movements", json=receipt, headers=clerk.headers)
        attack.expect(answer, 403)
        attack.note(COST not in answer.text, answer.text)
        for operation, path in readings(document, tenant.things):
            for name in ("unit_cost", "price", "sort", "order_by", "min_cost", "fields"):
                if name not in operation.queries:
                    sent = {name: "unit_cost"}
                    answer = await client.get(path, params=sent, headers=clerk.headers)
                    attack.expect(answer, 401, 403, 422)
