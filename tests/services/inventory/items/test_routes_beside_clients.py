"""A retirement is answered though clients never stop moving what it is about."""

import asyncio
import time

import pytest

from services.inventory.items.errors import ItemInStock
from services.inventory.locations.errors import LocationInUse
from tests.support.services import assert_problem

pytestmark = [pytest.mark.stack, pytest.mark.slow]

CLIENTS = 20
MOVERS = 12
MOVED_S = 4
MOVING_S = 10
MOST_S = 5  # That one waits; where it starved, until nobody moved anything any more.


@pytest.mark.parametrize("target", ["item", "location"])
async def test_a_retirement_does_not_starve(client, caller, make_location, make_item, move, target):
    place = await make_location("Main")
    item = await make_item("A1")
    assert (await move("receipt", 1)).is_success
    paths = {"item": f"/api/inventory/{item['id']}", "location": f"/api/locations/{place['id']}"}
    body = {"mode": "atomic", "lines": [
        {"kind": "receipt", "item": "A1", "location": "Main", "quantity": "1"}] * 5}  # fmt: skip
    ends_at = time.monotonic() + MOVING_S

    async def move_on(number):
        while time.monotonic() < ends_at:
            if number % 2:
                answer = await move("receipt", 1)
            else:  # A transaction of its own.
                answer = await client.post(
                    "/api/inventory/movements/bulk", json=body, headers=caller.headers()
                )
            assert answer.is_success, answer.text

    moving = [asyncio.create_task(move_on(number)) for number in range(CLIENTS)]
    waits = []
    while time.monotonic() < ends_at - 3:
        started = time.monotonic()
        refused = await client.delete(paths[target], headers=caller.headers())
        waits.append(time.monotonic() - started)
        assert_problem(refused, ItemInStock if target == "item" else LocationInUse)
    await asyncio.gather(*moving)
    assert max(waits) < MOST_S


@pytest.fixture
async def hot(client, caller, make_location, make_item, move):
    """A lot of an item at a location, and a kit of it: what changes each, and what moves it."""
    place = await make_location("Main")
    outer = await make_location("Outer")
    item = await make_item("A1", tracking="lot")
    made = await make_item("K1")
    receipt = {"kind": "receipt", "item": "A1", "location": "Main", "quantity": "1", "lot": "L1"}
    for _ in range(2):
        assert (await move(**receipt | {"quantity": "5000"})).is_success

    async def send(method, path, body):
        return await client.request(method, path, json=body, headers=caller.headers())

    parts = {"item": "K1", "components": [{"item": "A1", "quantity": "1"}]}
    assert (await send("POST", "/api/inventory/kits", parts)).is_success
    lots = await client.get(f"/api/inventory/{item['id']}/lots", headers=caller.headers())
    [lot] = lots.json()["items"]
    whole = {"code": "A1", "name": "Other", "tracking": "lot"}
    kit = f"/api/inventory/kits/{made['id']}"
    changes = {
        "lot": ("PATCH", f"/api/inventory/{item['id']}/lots/{lot['id']}", {"expires_on": None}),
        "item, whole": ("PUT", f"/api/inventory/{item['id']}", whole),
        "item": ("PATCH", f"/api/inventory/{item['id']}", {"name": "Another"}),
        "units": ("PATCH", f"/api/inventory/{item['id']}", {"packs": []}),
        "location": ("PATCH", f"/api/locations/{place['id']}", {"capacity": "99999"}),
        "location, moved": ("PATCH", f"/api/locations/{outer['id']}", {"parent": None}),
        "kit": ("PUT", kit, {"components": parts["components"]}),
    }
    bulk = {"mode": "atomic", "lines": [receipt] * 5}  # A transaction of its own.
    moves = [("POST", "/api/inventory/movements", receipt),
             ("POST", "/api/inventory/movements/bulk", bulk)]  # fmt: skip
    assemblies = [("POST", f"{kit}/assemble", {"quantity": 1, "location": "Main"})]
    return send, changes, {"kit": assemblies}, moves


@pytest.mark.parametrize(
    "target", ["lot", "item, whole", "item", "units", "location", "location, moved", "kit"]
)
async def test_a_change_of_what_moves_all_the_time_does_not_starve(hot, target):
    send, changes, special, moves = hot
    moves = special.get(target, moves)
    ends_at = time.monotonic() + MOVED_S

    async def move_on(number):
        while time.monotonic() < ends_at:
            answer = await send(*moves[number % len(moves)])
            assert answer.is_success, answer.text

    moving = [asyncio.create_task(move_on(number)) for number in range(MOVERS)]
    waits = []
    while time.monotonic() < ends_at - 1:
        started = time.monotonic()
        answer = await send(*changes[target])
        waits.append(time.monotonic() - started)
        assert answer.is_success, answer.text
    await asyncio.gather(*moving)
    assert len(waits) > 1
    assert max(waits) < MOVED_S - 1
