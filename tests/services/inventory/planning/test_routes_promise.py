"""What may be promised of an item, over HTTP: by what lies there, is on its way, and is held."""

from datetime import timedelta

import pytest

from services.inventory.items.errors import ItemNotFound
from services.inventory.ledger.errors import InsufficientStock
from services.inventory.locations.errors import LocationNotFound
from services.inventory.reservations.errors import InsufficientStockAnywhere
from services.inventory.transfers.errors import TransferReceivedAlready
from shared.clock import utc_now
from shared.errors import ValidationFailed
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack

NOBODY = "0190b6f0-5a3c-7000-8000-2f1c4d5e6f70"


def at(days):
    return (utc_now() + timedelta(days=days)).replace(microsecond=0).isoformat()


@pytest.fixture
def send(client, caller):
    async def request(method, path, body=None, who=None, **query):
        return await client.request(
            method, f"/api/inventory/{path}", json=body, params=query,
            headers=(who or caller).headers(),
        )  # fmt: skip

    return request


@pytest.fixture
async def places(make_location):
    main = await make_location("Main")
    shelf = await make_location("Shelf", "bin", parent="Main")
    shop = await make_location("Shop")
    await make_location("Road", "transit")
    return {"Main": main["id"], "Shelf": shelf["id"], "Shop": shop["id"]}


@pytest.fixture
async def item(make_item, places, move):
    item = await make_item("A1")
    await move("receipt", 20)
    await move("receipt", 5, location="Shelf")
    return item["id"]


@pytest.fixture
def dispatch(send):
    async def post(quantity, expected_at=None, to="Shop", item="A1"):
        body = {"item": item, "location": "Main", "to_location": to, "quantity": quantity}
        sent = await send("POST", "transfers", body | {"expected_at": expected_at})
        assert sent.status_code == 201, sent.text
        return sent.json()

    return post


@pytest.fixture
def promise(send, item):
    async def get(who=None, of=item, **query):
        answer = await send("GET", f"{of}/promise", None, who, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return get


def figures(timeline):
    return [int(step["available_to_promise"]) for step in timeline]


async def test_what_is_on_its_way_with_a_time_is_promised_from_then_on(promise, dispatch, places):
    soon, later = at(2), at(5)
    await dispatch(4, later)
    first = await dispatch(3, soon)
    undated = await dispatch(2)
    overdue = await dispatch(1, at(-1))

    found = await promise()

    assert [found[name] for name in ("on_hand", "reserved", "available")] == ["25", "10", "15"]
    assert figures(found["timeline"]) == [15, 18, 22]
    assert [step["at"] for step in found["timeline"]][1:] == [
        moment.replace("+00:00", "Z") for moment in (soon, later)
    ]
    assert (found["expected"][0]["source_id"], found["expected"][0]["quantity"]) == (
        first["id"], "3"
    )  # fmt: skip
    assert {each["location"] for each in found["expected"]} == {"Shop"}
    assert {each["source_id"] for each in found["unscheduled"]} == {undated["id"], overdue["id"]}
    assert found["complete"] is True
    told = {each["location"]: figures(each["timeline"]) for each in found["locations"]}
    assert told == {"Main": [10], "Shelf": [5], "Shop": [0, 3, 7]}


async def test_a_location_counts_with_what_lies_in_it_and_only_until_then(
    promise, dispatch, places
):
    await dispatch(4, at(5))

    main, shop = await promise(location="main"), await promise(location=places["Shop"])
    early = await promise(location="Shop", until=at(4))

    assert (main["location"], figures(main["timeline"])) == ("Main", [21])
    assert [each["location"] for each in main["locations"]] == ["Main", "Shelf"]
    assert figures(shop["timeline"]) == [0, 4]
    assert figures(early["timeline"]) == [0]
    assert early["expected"] == []


async def test_the_time_changes_while_it_is_under_way(send, promise, dispatch):
    sent = await dispatch(4, at(5))
    path = f"transfers/{sent['id']}"

    changed = await send("PATCH", path, {"expected_at": at(1)})
    same = await send("PATCH", path, {})
    figures_changed = figures((await promise(until=at(2)))["timeline"])
    unknown = await send("PATCH", path, {"expected_at": None})

    assert (changed.json()["version"], same.json()["version"]) == (2, 2)
    assert figures_changed == [21, 25]
    assert (unknown.json()["expected_at"], unknown.json()["version"]) == (None, 3)
    assert figures((await promise())["timeline"]) == [21]
    received = await send("POST", f"{path}/receive", {"quantity": 4})
    assert received.status_code == 200, received.text
    late = await send("PATCH", path, {"expected_at": at(1)})
    assert_problem(late, TransferReceivedAlready)
    assert figures((await promise())["timeline"]) == [25]


async def test_what_is_held_is_not_promised_even_once_it_may_come_back(send, promise):
    body = {"lines": [{"item": "A1", "location": "Main", "quantity": 6}], "expires_at": at(3)}
    await send("POST", "reservations", body)

    found = await promise()

    assert figures(found["timeline"]) == [19]
    assert [each["quantity"] for each in found["holds"]] == ["6"]
    assert (await promise(location="Shop"))["holds"] == []


async def test_a_lot_is_promised_through_its_last_day_on_its_way_too(
    send, make_item, move, places, dispatch, promise
):
    tracked = (await make_item("T1", tracking="lot"))["id"]
    day = (utc_now() + timedelta(days=10)).date()
    await move("receipt", 5, item="T1", lot="L1", expires_on=day.isoformat())
    await move("receipt", 3, item="T1", lot="L2")
    await dispatch(2, at(4), item="T1")

    found = await promise(of=tracked)

    assert figures(found["timeline"]) == [6, 8, 3]
    assert found["timeline"][2]["at"].startswith((day + timedelta(days=1)).isoformat())
    assert found["timeline"][2]["expired"] == "5"
    assert found["expected"][0]["expires_on"] == day.isoformat()


async def test_who_is_limited_is_told_of_his_own_places(caller, send, promise, dispatch, places):
    await dispatch(4, at(5))
    limited = Caller(caller.tenant_id, locations=[places["Main"]])
    shop = Caller(caller.tenant_id, locations=[places["Shop"]])

    found, there = await promise(who=limited), await promise(who=shop)

    assert figures(found["timeline"]) == [21]
    assert found["expected"] == found["unscheduled"] == []
    assert {each["location"] for each in found["locations"]} == {"Main", "Shelf"}
    assert figures(there["timeline"]) == [0, 4]
    path = f"{(await promise())['item_id']}/promise"
    assert_problem(await send("GET", path, None, limited, location="Shop"), LocationNotFound)


async def test_what_is_not_there_or_not_valid_is_told(send, item):
    assert_problem(await send("GET", f"{NOBODY}/promise"), ItemNotFound)
    assert_problem(await send("GET", f"{item}/promise", None, Caller()), ItemNotFound)
    assert_problem(await send("GET", f"{item}/promise", until="soon"), ValidationFailed)
    assert_problem(await send("GET", f"{item}/promise", location="x"), LocationNotFound)


async def test_who_asks_too_much_is_told_what_comes_next(
    send, caller, move, dispatch, places, item
):
    await dispatch(1)
    await dispatch(4, at(5))
    first = await dispatch(2, at(3), to="Shelf")
    comes = {"location": "Shelf", "quantity": "2", "expected_at": first["expected_at"]}
    comes["expected_at"] = comes["expected_at"].replace("Z", "+00:00")
    shop = Caller(caller.tenant_id, locations=[places["Shop"]])
    line = {"kind": "issue", "item": "A1", "location": "Shop", "quantity": 90}

    at_main, at_shop = await move("issue", 90), await move("issue", 90, location="Shop")
    bulk = await send("POST", "movements/bulk", {"mode": "each", "lines": [line]})
    limited = await send("POST", "movements", line, shop)
    anywhere = await send("POST", "reservations", {"lines": [{"item": "A1", "quantity": 90}]})

    assert_problem(at_main, InsufficientStock, next_receipt=comes)
    for answer in (at_shop, limited):
        assert answer.json()["next_receipt"]["location"] == "Shop"
        assert answer.json()["next_receipt"]["quantity"] == "4"
    assert bulk.json()["results"][0]["next_receipt"]["quantity"] == "4"
    assert_problem(anywhere, InsufficientStockAnywhere, next_receipt=comes)
