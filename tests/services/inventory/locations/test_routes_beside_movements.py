"""A retirement and what would use the location take turns: each pair, at once, many times."""

import asyncio

import pytest

from services.inventory.locations.errors import (
    LocationInUse,
    LocationNameTaken,
    LocationNotFound,
    LocationRetired,
)
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack

TRIES = 15


@pytest.fixture
def remove(client, caller):
    async def delete(location):
        return await client.delete(f"/api/locations/{location['id']}", headers=caller.headers())

    return delete


@pytest.fixture
def add(client, caller):
    async def post(**body):
        return await client.post("/api/locations", json=body, headers=caller.headers())

    return post


async def turns(number, removal, other):
    """Run both at once, in either order, and return the answers: removal, other."""
    if number % 2:
        return await asyncio.gather(removal, other)
    return (await asyncio.gather(other, removal))[::-1]


@pytest.mark.parametrize("kind", ["receipt", "transfer"])
@pytest.mark.parametrize("refusal", [LocationNotFound, LocationRetired], ids=["removed", "retired"])
async def test_nothing_arrives_at_a_location_that_is_removed_or_retired(
    make_location, make_item, move, remove, kind, refusal
):
    await make_location("Main")
    await make_item("A1")
    await move("receipt", 1000)
    for number in range(TRIES):
        place = await make_location(f"P{number}")
        if refusal is LocationRetired:  # Only one with a history is.
            await move("receipt", 1, location=place["name"])
            await move("issue", 1, location=place["name"])
        if kind == "receipt":
            arrival = move("receipt", 1, location=place["name"])
        else:
            arrival = move("transfer", 1, to_location=place["name"])

        removed, arrived = await turns(number, remove(place), arrival)

        if removed.status_code == 204:
            assert_problem(arrived, refusal, location=place["name"])
        else:
            assert_problem(removed, LocationInUse)
            assert arrived.status_code == 201


async def test_no_location_is_put_into_one_that_is_removed(make_location, remove, add):
    for number in range(TRIES):
        place = await make_location(f"P{number}")

        removed, added = await turns(
            number, remove(place), add(name=f"Z{number}", type="zone", parent=place["name"])
        )

        if removed.status_code == 204:
            assert_problem(added, LocationNotFound)
        else:
            assert_problem(removed, LocationInUse)
            assert added.status_code == 201


async def test_a_parent_gone_meanwhile_is_not_called_a_name_taken(make_location, remove, add):
    """Each refusal is that of the rule that was broken, also when several could be."""
    for number in range(TRIES):
        place = await make_location(f"P{number}")
        await make_location(f"N{number}")

        removed, added = await turns(
            number, remove(place), add(name=f"n{number}", type="zone", parent=place["id"])
        )

        assert removed.status_code == 204
        assert added.json()["code"] in {
            kind.slug.replace("-", "_") for kind in (LocationNameTaken, LocationNotFound)
        }


async def test_no_location_is_put_into_one_that_is_retired(
    client, caller, make_location, make_item, move, remove
):
    await make_location("Main")
    await make_item("A1")
    for number in range(TRIES):
        place = await make_location(f"P{number}")
        zone = await make_location(f"Z{number}", "zone", parent="Main")
        await move("receipt", 1, location=place["name"])
        await move("issue", 1, location=place["name"])
        path, body = f"/api/locations/{zone['id']}", {"parent": place["name"]}

        retired, put = await turns(
            number, remove(place), client.patch(path, json=body, headers=caller.headers())
        )

        if retired.status_code == 204:
            assert_problem(put, LocationRetired, location=place["name"])
        else:
            assert_problem(retired, LocationInUse)
            assert put.status_code == 200
