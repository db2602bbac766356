"""A transfer and what bars it take turns: each pair, at once, many times."""

import asyncio

import pytest

from services.inventory.freezes.errors import Frozen
from services.inventory.locations.errors import (
    LocationInUse,
    LocationNotFound,
    LocationRetired,
)
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack

PATH = "/api/inventory/transfers"
TRIES = 10


@pytest.fixture(autouse=True)
async def stock(make_location, make_item, move):
    await make_location("Main")
    await make_location("On the road", "transit")
    await make_item("A1")
    await move("receipt", 1000)


@pytest.fixture
def send(client, caller):
    async def request(method, path, body=None):
        return await client.request(method, path, json=body, headers=caller.headers())

    return request


@pytest.fixture
def dispatch(send):
    async def post(to_location):
        body = {"item": "A1", "location": "Main", "to_location": to_location, "quantity": 1}
        return await send("POST", PATH, body)

    return post


async def both(number, first, second):
    """Run both at once, in either order; return the answers in the order in which they stand."""
    if number % 2:
        return await asyncio.gather(first, second)
    return (await asyncio.gather(second, first))[::-1]


@pytest.mark.parametrize("was_used", [True, False], ids=["retired", "removed"])
async def test_nothing_is_dispatched_to_a_location_that_is_retired(
    send, dispatch, make_location, move, was_used
):
    for number in range(TRIES):
        place = await make_location(f"P{number}")
        if was_used:
            await move("receipt", 1, location=place["name"])
            await move("issue", 1, location=place["name"])

        sent, retired = await both(
            number, dispatch(place["id"]), send("DELETE", f"/api/locations/{place['id']}")
        )

        if retired.status_code == 204:
            assert_problem(sent, LocationRetired if was_used else LocationNotFound)
        else:
            assert_problem(retired, LocationInUse)
            assert sent.status_code == 201, sent.text


async def test_after_a_freeze_is_answered_nothing_is_dispatched_or_received(
    send, dispatch, make_location
):
    await make_location("Shop")
    freezes = [
        {"scope": "everything"},
        {"scope": "location", "location": "On the road"},
        {"scope": "item", "item": "A1"},
    ]

    async def frozen_movements(freeze):
        made = await send("POST", "/api/inventory/freezes", freeze | {"reason": "x"})
        assert made.status_code == 201, made.text
        listed = await send("GET", "/api/inventory/movements?limit=200")
        return made.json()["id"], len(listed.json()["items"])

    for number in range(TRIES):
        under_way = [(await dispatch("Shop")).json()["id"] for _ in range(3)]
        crowd = [dispatch("Shop") for _ in range(5)]
        crowd += [send("POST", f"{PATH}/{each}/receive", {"quantity": 1}) for each in under_way]
        crowd.insert(number % 8, frozen_movements(freezes[number % len(freezes)]))

        answers = await asyncio.gather(*crowd)

        freeze_id, recorded = answers.pop(number % 8)
        listed = await send("GET", "/api/inventory/movements?limit=200")
        if recorded < 200:
            assert len(listed.json()["items"]) == recorded
        assert {answer.status_code for answer in answers} <= {200, 201, Frozen.status}
        await send("DELETE", f"/api/inventory/freezes/{freeze_id}")
    verified = await send("GET", "/api/inventory/verify")
    assert verified.json()["ok"], verified.text
