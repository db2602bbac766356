"""What lay where at a past moment: at a location, and everywhere."""

from datetime import timedelta
from uuid import uuid4

import pytest

from services.inventory.categories.errors import CategoryNotFound
from services.inventory.ledger.errors import KnownInFuture
from services.inventory.locations.errors import LocationNotFound
from shared.clock import utc_now
from shared.pagination import InvalidCursor
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack
URL = "/api/inventory/stock"


def ago(days: float) -> str:
    return (utc_now() - timedelta(days=days)).isoformat()


@pytest.fixture(autouse=True)
async def shop(make_location, make_item, move):
    """Received nine days ago, moved six days ago, issued three days ago, and told of late."""
    await make_location("Main")
    await make_location("Shelf", "bin", parent="Main")
    await make_location("Shop")
    for code, category in (("A1", "Tea"), ("B1", "Salt"), ("C1", "Tea")):
        await make_item(code, category=category)
    await move("receipt", 10, occurred_at=ago(9))
    await move("receipt", 4, item="B1", location="Shelf", occurred_at=ago(9))
    await move("transfer", 3, to_location="Shop", occurred_at=ago(6))
    known_at = utc_now().isoformat()
    await move("issue", 4, item="B1", location="Shelf", occurred_at=ago(3))
    await move("receipt", 5, item="C1", location="Shop", occurred_at=ago(7))
    return known_at


@pytest.fixture
def stock(client, caller):
    async def ask(path: str = URL, **query: str) -> dict[str, str]:
        answer = await client.get(path, params=query, headers=caller.headers())
        assert answer.status_code == 200, answer.text
        return {line["code"]: line["on_hand"] for line in answer.json()["items"]}

    return ask


async def test_everything_is_listed_as_it_lay_then(stock, shop):
    assert await stock() == {"A1": "10", "C1": "5"}
    assert await stock(as_of=ago(8)) == {"A1": "10", "B1": "4"}
    assert await stock(as_of=ago(6.5)) == {"A1": "10", "B1": "4", "C1": "5"}
    assert await stock(as_of=ago(6.5), known_at=shop) == {"A1": "10", "B1": "4"}
    assert await stock(known_at=shop) == {"A1": "10", "B1": "4"}
    assert await stock(as_of=ago(10)) == {}


async def test_a_location_is_listed_as_it_was(stock, shop):
    main, shelf = "/api/locations/Main/inventory", "/api/locations/Shelf/inventory"

    assert await stock(main) == {"A1": "7"}
    assert await stock(main, as_of=ago(7)) == {"A1": "10"}
    assert await stock(main, as_of=ago(7), recursive="true") == {"A1": "10", "B1": "4"}
    assert await stock(shelf) == {}
    assert await stock(shelf, as_of=ago(4)) == await stock(shelf, known_at=shop) == {"B1": "4"}


async def test_the_list_keeps_to_a_location_and_a_category(stock):
    assert await stock(as_of=ago(7), location="Main") == {"A1": "10", "B1": "4"}
    assert await stock(as_of=ago(5), location="Shop") == {"A1": "3", "C1": "5"}
    assert await stock(as_of=ago(5), category="Tea") == {"A1": "10", "C1": "5"}
    assert await stock(category="Salt") == {}


async def test_the_list_goes_on_where_a_page_ends(client, caller, stock):
    query = {"as_of": ago(6.5), "limit": "2"}
    first = (await client.get(URL, params=query, headers=caller.headers())).json()

    rest = await stock(**query, cursor=first["next_cursor"])

    assert [line["code"] for line in first["items"]] == ["A1", "B1"]
    assert rest == {"C1": "5"}
    assert (first["as_of"][:19], first["known_at"]) == (query["as_of"][:19], None)


@pytest.mark.parametrize(("of_item", "on_hand", "left"), [(False, "10", "8"), (True, "7", "5")])
async def test_what_is_reserved_is_told_of_now_and_unknown_in_the_past(
    client, caller, of_item, on_hand, left
):
    body = {"lines": [{"item": "A1", "location": "Main", "quantity": 2}]}
    await client.post("/api/inventory/reservations", json=body, headers=caller.headers())
    found = (await client.get("/api/inventory/lookup/A1", headers=caller.headers())).json()
    url = f"/api/inventory/{found['id']}/stock" if of_item else URL

    async def read(**query):
        answer = (await client.get(url, params=query, headers=caller.headers())).json()
        line = answer["stock" if of_item else "items"][0]
        return line["on_hand"], line["reserved"], line["available"]

    assert await read() == await read(as_of=ago(-1)) == (on_hand, "2", left)
    assert await read(as_of=ago(1)) == await read(known_at=ago(0)) == (on_hand, None, None)


@pytest.mark.parametrize("of_item", [False, True])
@pytest.mark.parametrize("known", [False, True])
async def test_the_past_is_the_ledgers_whatever_our_clock_says(
    client, caller, move, monkeypatch, of_item, known
):
    """Our clock runs behind: what is past for the ledger is to come for us."""
    as_of = utc_now().isoformat()
    query = {"as_of": as_of} | ({"known_at": as_of} if known else {})
    await move("issue", 1)
    behind = utc_now() - timedelta(minutes=1)
    monkeypatch.setattr("shared.web.requests.utc_now", lambda: behind)
    found = (await client.get("/api/inventory/lookup/A1", headers=caller.headers())).json()
    url = f"/api/inventory/{found['id']}/stock" if of_item else URL

    answer = (await client.get(url, params=query, headers=caller.headers())).json()

    assert answer["stock" if of_item else "items"][0]["on_hand"] == ("7" if of_item else "10")


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"location": "Nowhere"}, LocationNotFound),
        ({"category": "Nothing"}, CategoryNotFound),
        ({"known_at": "2090-01-01"}, KnownInFuture),
        ({"cursor": "x"}, InvalidCursor),
    ],
)
async def test_refused(client, caller, query, problem):
    assert_problem(await client.get(URL, params=query, headers=caller.headers()), problem)


async def test_another_tenant_sees_nothing(client):
    answer = await client.get(URL, params={"as_of": ago(1)}, headers=Caller(uuid4()).headers())

    assert answer.json()["items"] == []


async def test_who_is_limited_counts_his_own_places_alone(client, caller):
    places = (await client.get("/api/locations", headers=caller.headers())).json()["items"]
    shelf = next(place["id"] for place in places if place["name"] == "Shelf")
    limited = Caller(caller.tenant_id, locations=[shelf]).headers()

    then = await client.get(URL, params={"as_of": ago(7)}, headers=limited)
    now = await client.get(URL, headers=limited)
    elsewhere = await client.get(URL, params={"location": "Main"}, headers=limited)

    assert [(line["code"], line["on_hand"]) for line in then.json()["items"]] == [("B1", "4")]
    assert now.json()["items"] == []
    assert_problem(elsewhere, LocationNotFound)
