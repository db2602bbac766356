"""What has expired lies there and is not available, wherever that is told."""

from datetime import timedelta

import pytest

from services.inventory.ledger.errors import InsufficientStock
from shared.clock import utc_now
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack

LOOK = "/api/inventory"


@pytest.fixture(autouse=True)
async def item(make_location, make_item, move):
    """Ten good and a hundred expired at Main, five good and fifty expired at Shop."""
    await make_location("Main")
    await make_location("Shop")
    planned = {"reorder_point": "20", "par_level": "100"}
    made = await make_item("A1", tracking="lot", **planned)
    for lot, days, quantity, place in (
        ("GONE", -1, 100, "Main"), ("GOOD", 1, 10, "Main"), ("ELSE", 1, 5, "Shop"),
        ("OLD", -9, 50, "Shop"),
    ):  # fmt: skip
        expires_on = (utc_now().date() + timedelta(days=days)).isoformat()
        received = await move(
            "receipt", quantity, item="A1", location=place, lot=lot, expires_on=expires_on
        )
        assert received.status_code == 201, received.text
    return made


@pytest.fixture
def read(client, caller):
    async def get(path, **query):
        answer = await client.get(f"{LOOK}{path}", params=query, headers=caller.headers())
        assert answer.status_code == 200, answer.text
        return answer.json()

    return get


def amounts(told):
    return told["on_hand"], told["available"]


async def test_it_is_told_as_on_hand_and_not_as_available(read, item):
    found = await read("/lookup/A1")
    [line] = (await read(""))["items"]
    [there] = (await read("/stock"))["items"]
    places = (await read(f"/{item['id']}/stock"))["stock"]
    lots = (await read(f"/{item['id']}/lots"))["items"]
    promise = await read(f"/{item['id']}/promise")

    for told in (found, line, there, promise, await read(f"/{item['id']}")):
        assert amounts(told) == ("165", "15")
    by_lot = {lot["lot"]: amounts(lot["stock"][0]) for lot in lots}
    assert by_lot == {place["lot"]: amounts(place) for place in (*places,)}
    assert by_lot == {place["lot"]: amounts(place) for place in found["stock"]}
    assert by_lot == {
        "GONE": ("100", "0"), "GOOD": ("10", "10"), "ELSE": ("5", "5"), "OLD": ("50", "0"),
    }  # fmt: skip
    assert promise["timeline"][0]["available_to_promise"] == promise["available"]


@pytest.mark.parametrize("location", [None, "Main"])
async def test_what_is_low_is_low_whatever_lies_there_and_has_expired(read, location):
    query = {} if location is None else {"location": location}
    [low] = (await read("/low-stock", **query))["items"]

    good = 15 if location is None else 10
    assert (low["below"], low["available"]) == ("reorder_point", str(good))
    assert low["shortfall"] == str(100 - good)


async def test_it_is_counted_below_par(read):
    assert [line["code"] for line in (await read("", below_par=True))["items"]] == ["A1"]


async def test_nobody_is_sent_to_where_it_has_expired(move):
    answer = await move("issue", 11, item="A1", location="Main")

    assert_problem(answer, InsufficientStock)
    told = answer.json()
    assert [(place["location"], place["available"]) for place in told["elsewhere"]] == [
        ("Shop", "5")
    ]
    assert (told["on_hand"], told["available"], told["expired"]) == ("110", "10", "100")
