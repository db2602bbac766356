"""A retirement is answered though clients never stop moving what it is about."""

import asyncio
import time

import pytest

from services.inventory.items.errors import ItemInStock
from services.inventory.locations.errors import LocationInUse
from tests.support.services import assert_problem

pytestmark = [pytest.mark.stack, pytest.mark.slow]

CLIENTS = 20
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
