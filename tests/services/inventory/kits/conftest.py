from decimal import Decimal

import pytest

PATH = "/api/inventory/kits"


@pytest.fixture
def send(client, caller):
    async def request(method, path, body=None, who=None, **headers):
        sent = (who or caller).headers(**headers)
        return await client.request(method, path, json=body, headers=sent)

    return request


@pytest.fixture(autouse=True)
async def stock(make_location, make_item, move):
    """Two components, a case of one of them, and no kit yet."""
    await make_location("Main")
    await make_item("A1", unit_cost="2", packs=[{"unit": "case", "quantity": "12"}])
    await make_item("B1", unit_cost="0.5")
    await make_item("K1")
    await move("receipt", 100, item="A1")
    await move("receipt", 100, item="B1")


@pytest.fixture
def make_kit(send):
    async def make(item="K1", **components):
        parts = components or {"A1": "2", "B1": "0.5"}
        body = {
            "item": item,
            "components": [{"item": code, "quantity": part} for code, part in parts.items()],
        }
        made = await send("POST", PATH, body)
        assert made.status_code == 201, made.text
        return made.json()

    return make


@pytest.fixture
def act(send):
    async def post(kit, quantity, act="assemble", who=None, **more):
        body = {"quantity": quantity, "location": "Main"} | more
        return await send("POST", f"{PATH}/{kit['id']}/{act}", body, who)

    return post


@pytest.fixture
def on_hand(send):
    async def read(*codes):
        return [
            Decimal((await send("GET", f"/api/inventory/lookup/{code}")).json()["on_hand"])
            for code in codes
        ]

    return read
