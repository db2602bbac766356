"""Who is limited to some locations: whatever he asks, no other's name, id or quantity is shown."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from services.inventory.app import create_app
from services.inventory.ledger.errors import InsufficientStock
from services.inventory.locations.errors import LocationNotFound
from services.inventory.movements.errors import BulkRefused
from shared.errors import IdempotencyAnswerWithheld, LocationNotAllowed, ValidationFailed
from shared.web.permissions import find_requirement
from tests.support.inventory import ask_for_adjustments
from tests.support.services import ALL_SCOPES, Caller, assert_problem

pytestmark = pytest.mark.stack

SECRET_PLACES = ("Zanzibar", "Zanzibar shelf")
SECRET_QUANTITY = Decimal("7654.25")
OWN_QUANTITY = Decimal(12)
# All that who is limited may ask: what it shows or moves is held to his locations. A route that is
# added here needs a line in `test_nothing_of_other_places_is_shown` or a test of its own.
BY_LOCATION = {
    "GET /api/inventory/approvals",
    "GET /api/inventory/approvals/{approval_id}",
    "POST /api/inventory/approvals/{approval_id}/approve",
    "POST /api/inventory/approvals/{approval_id}/reject",
    "POST /api/inventory/approvals/{approval_id}/withdraw",
    "GET /api/categories",
    "GET /api/categories/{category_id}",
    "GET /api/inventory",
    "GET /api/inventory/counts",
    "GET /api/inventory/counts/proposals",
    "GET /api/inventory/counts/{count_id}",
    "GET /api/inventory/counts/{count_id}/lines",
    "GET /api/inventory/kits",
    "GET /api/inventory/kits/{kit_id}",
    "GET /api/inventory/kits/{kit_id}/availability",
    "GET /api/inventory/low-stock",
    "GET /api/inventory/lookup",
    "GET /api/inventory/lookup/{code}",
    "GET /api/inventory/lots/{lot}/trace",
    "GET /api/inventory/movements",
    "GET /api/inventory/movements/{movement_id}",
    "GET /api/inventory/movements/reason-codes",
    "GET /api/inventory/periods",
    "GET /api/inventory/reservations",
    "GET /api/inventory/reservations/{reservation_id}",
    "GET /api/inventory/scan",
    "GET /api/inventory/search",
    "GET /api/inventory/transfers",
    "GET /api/inventory/transfers/{transfer_id}",
    "GET /api/inventory/serials/{serial}",
    "GET /api/inventory/stock",
    "GET /api/inventory/{item_id}",
    "GET /api/inventory/{item_id}/lots",
    "GET /api/inventory/{item_id}/planning",
    "GET /api/inventory/{item_id}/planning/{location_id}",
    "GET /api/inventory/{item_id}/promise",
    "GET /api/inventory/{item_id}/serials",
    "GET /api/inventory/{item_id}/stock",
    "GET /api/locations",
    "GET /api/locations/{location_id}",
    "GET /api/locations/{name}/inventory",
    "POST /api/inventory/kits/{kit_id}/assemble",
    "POST /api/inventory/kits/{kit_id}/disassemble",
    "POST /api/inventory/lookup",
    "POST /api/inventory/movements",
    "POST /api/inventory/movements/bulk",
    "POST /api/inventory/movements/{movement_id}/reverse",
    "PATCH /api/inventory/reservations/{reservation_id}",
    "PATCH /api/inventory/transfers/{transfer_id}",
    "POST /api/inventory/transfers",
    "POST /api/inventory/transfers/{transfer_id}/receive",
    "POST /api/inventory/transfers/{transfer_id}/cancel",
    "POST /api/inventory/counts",
    "POST /api/inventory/counts/{count_id}/cancel",
    "POST /api/inventory/counts/{count_id}/post",
    "POST /api/inventory/counts/{count_id}/recount",
    "PUT /api/inventory/counts/{count_id}/lines",
    "POST /api/inventory/reservations",
    "POST /api/inventory/reservations/{reservation_id}/commit",
    "POST /api/inventory/reservations/{reservation_id}/release",
}


@dataclass
class Shop:
    """Two warehouses, each with a shelf; A1 lies on all four, S1 at the secret ones alone."""

    client: httpx.AsyncClient
    boss: Caller
    limited: Caller  # To the warehouse Main, so to Main shelf as well.
    places: dict[str, str]
    items: dict[str, str]
    category: str
    kit: str = ""
    transfer: str = ""  # From a secret place to one's own.
    movement: str = ""  # From one's own to a secret place.
    reservations: dict[str, str] = field(default_factory=dict)  # By the place that they hold at.
    counts: dict[str, str] = field(default_factory=dict)  # By the place; of all, by its absence.
    approvals: dict[str, str] = field(default_factory=dict)  # By the place that they are about.

    async def get(self, path: str, caller: Caller | None = None, **query: str) -> httpx.Response:
        headers = (caller or self.limited).headers()
        return await self.client.get(path, params=query, headers=headers)

    async def post(
        self, path: str, body: dict[str, Any], caller: Caller | None = None, **headers: str
    ) -> httpx.Response:
        sent = (caller or self.limited).headers(**headers)
        return await self.client.post(path, json=body, headers=sent)

    async def move(self, who: Caller | None = None, key: str = "", **body: Any) -> httpx.Response:
        wanted = {"kind": "issue", "item": "A1", "location": "Main", "quantity": 1} | body
        keyed = {"Idempotency-Key": key} if key else {}
        return await self.post("/api/inventory/movements", wanted, who, **keyed)


@pytest.fixture
async def shop(client: httpx.AsyncClient, caller: Caller) -> Shop:
    shop = Shop(client, caller, caller, {}, {}, "")
    for name, parent in (
        ("Main", None), ("Main shelf", "Main"), ("Zanzibar", None), ("Zanzibar shelf", "Zanzibar"),
    ):  # fmt: skip
        body = {"name": name, "type": "bin" if parent else "warehouse"}
        made = await shop.post("/api/locations", body | ({"parent": parent} if parent else {}))
        shop.places[name] = made.json()["id"]
    for code in ("A1", "S1"):
        body = {"code": code, "name": code, "category": "Tea", "reorder_point": "100"}
        made = (await shop.post("/api/inventory/add-item", body)).json()
        shop.items[code], shop.category = made["id"], made["category_id"]
    for item, location, quantity in (
        ("A1", "Main", OWN_QUANTITY), ("A1", "Main shelf", OWN_QUANTITY),
        ("A1", "Zanzibar", SECRET_QUANTITY), ("S1", "Zanzibar shelf", SECRET_QUANTITY),
    ):  # fmt: skip
        await shop.move(kind="receipt", item=item, location=location, quantity=str(quantity))
    await shop.post("/api/inventory/add-item", {"code": "T1", "name": "T1", "tracking": "lot"})
    kit = {"item": "T1", "components": [{"item": "S1", "quantity": "1"}]}
    shop.kit = (await shop.post("/api/inventory/kits", kit)).json()["id"]
    await _send_between(shop)
    for location, quantity in (("Main", OWN_QUANTITY), ("Zanzibar", SECRET_QUANTITY)):
        of_lot = {"item": "T1", "lot": "L1", "quantity": str(quantity)}
        await shop.move(kind="receipt", location=location, **of_lot)
    await _have_serials(shop)
    for there, back in (("Zanzibar", "Main"), ("Main", "Zanzibar")):
        moved = await shop.move(kind="transfer", location=there, to_location=back, quantity=1)
        shop.movement = moved.json()["id"]
    for name in ("Main", "Zanzibar"):
        path = f"/api/inventory/{shop.items['A1']}/planning/{shop.places[name]}"
        wished = {"par_level": str(SECRET_QUANTITY if name == "Zanzibar" else OWN_QUANTITY)}
        planned = await client.put(path, json=wished, headers=caller.headers())
        assert planned.status_code == 200, planned.text
    for place in shop.places:
        line = {"item": "S1" if place == "Zanzibar shelf" else "A1", "location": place,
                "quantity": str(SECRET_QUANTITY / 2 if place in SECRET_PLACES else 1)}  # fmt: skip
        made = await shop.post("/api/inventory/reservations", {"lines": [line]})
        assert made.status_code == 201, made.text
        shop.reservations[place] = made.json()["id"]
        counted = {"locations": [place], "with_children": False}
        made = await shop.post("/api/inventory/counts", counted)
        shop.counts[place] = made.json()["id"]
    wanted = {p: SECRET_QUANTITY if p in SECRET_PLACES else OWN_QUANTITY for p in shop.places}
    shop.approvals = await ask_for_adjustments(client, caller, "A1", wanted)
    limited = Caller(caller.tenant_id, locations=[shop.places["Main"]])
    return replace(shop, limited=limited)


async def _have_serials(shop: Shop) -> None:
    """Let one of three units come from a secret place to one's own, and another go there."""
    body = {"code": "N1", "name": "N1", "tracking": "serial"}
    shop.items["N1"] = (await shop.post("/api/inventory/add-item", body)).json()["id"]
    for kind, location, serials, goal in (
        ("receipt", "Main", ["X1"], None), ("receipt", "Zanzibar", ["X2", "X3"], None),
        ("transfer", "Zanzibar", ["X2"], "Main"), ("transfer", "Main", ["X1"], "Zanzibar"),
    ):  # fmt: skip
        body = {"kind": kind, "item": "N1", "location": location, "serials": serials}
        body |= {"to_location": goal} if goal else {}
        moved = await shop.post("/api/inventory/movements", body)
        assert moved.status_code == 201, moved.text


async def _send_between(shop: Shop) -> None:
    """Have something on its way between secret places, and from there to one's own."""
    await shop.post("/api/locations", {"name": "Zanzibar road", "type": "transit"})
    body = {"item": "S1", "location": "Zanzibar shelf", "quantity": 1}
    for to_location in ("Zanzibar", "Main"):
        sent = await shop.post("/api/inventory/transfers", body | {"to_location": to_location})
        assert sent.status_code == 201, sent.text
    shop.transfer = sent.json()["id"]


def operations(app: FastAPI) -> dict[str, bool]:
    """Whether each operation of people is limited by location, by method and path."""
    found: dict[str, bool] = {}
    for route in iter_route_contexts(app.routes):
        if not isinstance(route.original_route, APIRoute) or not route.include_in_schema:
            continue
        needed = find_requirement(route.dependant)
        if needed is not None:
            for method in route.methods or ():
                found[f"{method} {route.path_format}"] = not needed.for_all_locations
    return found


OPERATIONS = operations(create_app(None))


def test_what_is_limited_by_location_is_known():
    assert {name for name, by_location in OPERATIONS.items() if by_location} == BY_LOCATION


def assert_nothing_secret(shop: Shop, response: httpx.Response) -> None:
    text = response.text
    secret_ids = [shop.places[name] for name in SECRET_PLACES]
    total = SECRET_QUANTITY + 2 * OWN_QUANTITY
    for secret in (*SECRET_PLACES, *secret_ids, "7654.25", "7653.25", "7655.25", str(total)):
        assert secret not in text, (response.url, secret, text)


@pytest.mark.asvs("D02")
@pytest.mark.parametrize("operation", sorted(OPERATIONS.keys() - BY_LOCATION))
async def test_whatever_concerns_all_locations_is_refused(shop: Shop, operation: str):
    method, path = operation.split()
    path = path.format(item_id=shop.items["A1"], location_id=shop.places["Main"],
                       category_id=shop.category, name="Main", code="A1",
                       freeze_id=uuid4(), period_id=uuid4(), transfer_id=uuid4(), lot_id=uuid4(),
                       webhook_id=uuid4(), event_id=uuid4(), kit_id=shop.kit)  # fmt: skip

    response = await shop.client.request(method, path, headers=shop.limited.headers())

    assert_problem(response, LocationNotAllowed)
    assert_nothing_secret(shop, response)


@pytest.mark.asvs("D02")
@pytest.mark.parametrize("operation", sorted(o for o in BY_LOCATION if o.startswith("GET ")))
async def test_nothing_of_other_places_is_shown(shop: Shop, operation: str):
    path = operation.removeprefix("GET ")
    queries: list[dict[str, str]] = [
        {}, {"as_of": "2090-01-01"}, {"location": "Zanzibar"}, {"q": "S1"}, {"kind": "transfer"},
        {"location": shop.places["Zanzibar shelf"]}, {"item": "S1"}, {"below_par": "true"},
        {"code": "S1"}, {"code": "A1"}, {"q": "Zanzibar"}, {"value": "S1"}, {"value": "A1"},
    ]  # fmt: skip
    answered = 0
    filled_paths: dict[str, str] = {}
    for item in shop.items.values():
        for place, place_id in shop.places.items():
            for code in shop.items:
                filled = path.format(item_id=item, location_id=place_id, name=place, code=code,
                                     category_id=shop.category, kit_id=shop.kit,
                                     transfer_id=shop.transfer, movement_id=shop.movement,
                                     reservation_id=shop.reservations[place], serial="X1",
                                     count_id=shop.counts[place], lot="L1",
                                     approval_id=shop.approvals[place])  # fmt: skip
                filled_paths[filled] = place
    for filled, place in filled_paths.items():
        for query in queries:
            response = await shop.get(filled, **query)
            assert response.status_code in {200, 404, 422}, response.text
            answered += response.status_code == 200
            is_named = place in filled or shop.places[place] in filled
            if "location" in query and LocationNotFound.slug in response.text:
                assert_problem(response, LocationNotFound)  # It repeats what was asked, no more.
            elif not (is_named and place in SECRET_PLACES):
                assert_nothing_secret(shop, response)
            elif response.status_code != ValidationFailed.status:
                assert_problem(response, LocationNotFound)
    assert answered


async def test_sums_count_ones_own_places_alone(shop: Shop):
    item_id = shop.items["A1"]
    answers = [
        (await shop.get("/api/inventory")).json()["items"][0],
        (await shop.get("/api/inventory/search", q="A1")).json()["items"][0],
        (await shop.get("/api/inventory/low-stock")).json()["items"][0],
        (await shop.get(f"/api/inventory/{item_id}")).json(),
        (await shop.get("/api/inventory/lookup/A1")).json(),
        (await shop.get("/api/inventory/scan", value="A1")).json()["item"],
        (await shop.get(f"/api/inventory/{item_id}/stock")).json(),
        (await shop.get(f"/api/inventory/{item_id}/stock", as_of="2090-01-01")).json(),
    ]
    looked_up = (await shop.post("/api/inventory/lookup", {"codes": ["A1", "S1"]})).json()

    answers += [looked_up["results"][0]["item"]]
    assert {answer["code"] for answer in answers} == {"A1"}
    assert {Decimal(answer["on_hand"]) for answer in answers} == {2 * OWN_QUANTITY}
    assert looked_up["results"][1]["item"]["on_hand"] == "0"
    assert looked_up["results"][1]["item"]["stock"] == []
    named = {place["location"] for place in answers[4]["stock"]}
    assert named == {"Main", "Main shelf"}
    whole = (await shop.get("/api/inventory/lookup/A1", shop.boss)).json()
    assert Decimal(whole["on_hand"]) == 2 * OWN_QUANTITY + SECRET_QUANTITY


async def test_what_lies_at_another_place_is_not_told_by_a_filter(shop: Shop):
    for place in ("Zanzibar shelf", shop.places["Zanzibar shelf"]):
        whole = await shop.get("/api/inventory", shop.boss, location=place)
        found = await shop.get("/api/inventory", location=place)

        assert [item["code"] for item in whole.json()["items"]] == ["S1"]
        assert found.json()["items"] == []


async def test_lists_hold_ones_own_places_alone(shop: Shop):
    listed = (await shop.get("/api/locations")).json()["items"]
    moved = (await shop.get("/api/inventory/movements")).json()["items"]
    shelf = {"locations": [shop.places["Main shelf"]]}
    narrow = Caller(shop.boss.tenant_id, **shelf)

    assert [place["name"] for place in listed] == ["Main", "Main shelf"]
    assert {row["location"] for row in moved} == {"Main", "Main shelf"}
    transfers = [row for row in moved if row["kind"] == "transfer"]
    assert len(transfers) == 4
    assert {row["to_location"] for row in transfers} == {None}
    (only,) = (await shop.get("/api/locations", narrow)).json()["items"]
    assert (only["name"], only["parent_id"]) == ("Main shelf", None)
    assert_problem(
        await shop.get(f"/api/locations/{shop.places['Main']}", narrow), LocationNotFound
    )


async def test_movements_happen_at_ones_own_places_alone(shop: Shop):
    own = {"location": "Main", "to_location": "Main shelf", "kind": "transfer"}

    assert (await shop.move(**own)).json()["to_location"] == "Main shelf"
    for place in ("Zanzibar", shop.places["Zanzibar shelf"]):
        for kind, more in (("issue", {}), ("receipt", {}), ("count_correction", {})):
            assert_problem(await shop.move(kind=kind, location=place, **more), LocationNotFound)
        there = await shop.move(kind="transfer", location="Main", to_location=place)
        back = await shop.move(kind="transfer", location=place, to_location="Main")
        assert_problem(there, LocationNotFound, location=place)
        assert_problem(back, LocationNotFound, location=place)
    unknown = await shop.move(location="Nowhere")
    foreign = await shop.move(location="Zanzibar")
    assert unknown.json().keys() == foreign.json().keys()
    assert unknown.json()["code"] == foreign.json()["code"]
    short = await shop.move(location="Main", quantity=500)
    assert_problem(short, InsufficientStock, available="10")


async def test_rows_of_bulk_calls_are_held_to_the_same(shop: Shop):
    lines = [
        {"kind": "issue", "item": "A1", "location": place, "quantity": "1"}
        for place in ("Main", "Zanzibar", shop.places["Zanzibar"])
    ]
    path = "/api/inventory/movements/bulk"

    each = await shop.post(path, {"mode": "each", "lines": lines})
    atomic = await shop.post(path, {"lines": lines})

    codes = [result["code"] for result in each.json()["results"]]
    assert codes == [None, "location_not_found", "location_not_found"]
    assert_problem(atomic, BulkRefused)
    assert "7654" not in each.text + atomic.text


async def test_who_is_limited_to_nothing_that_is_there_sees_nothing(shop: Shop):
    nowhere = Caller(shop.boss.tenant_id, locations=[uuid4()])

    listed = (await shop.get("/api/inventory", nowhere)).json()["items"]

    assert {item["on_hand"] for item in listed} == {"0"}
    assert (await shop.get("/api/locations", nowhere)).json()["items"] == []
    assert_problem(await shop.move(nowhere), LocationNotFound)


@pytest.mark.parametrize("bulk", [False, True])
async def test_an_answer_from_before_the_limit_is_withheld(shop: Shop, *, bulk: bool):
    """The key is the user's; his limits came between the two sendings."""
    now_limited = replace(shop.boss, locations=[shop.places["Main"]])
    line = {"kind": "issue", "item": "A1", "location": "Zanzibar", "quantity": "1"}
    path = "/api/inventory/movements" + ("/bulk" if bulk else "")
    body = {"lines": [line]} if bulk else line
    key = {"Idempotency-Key": "once"}

    first = await shop.post(path, body, shop.boss, **key)
    again = await shop.post(path, body, now_limited, **key)

    assert first.status_code == 201, first.text
    assert_problem(again, IdempotencyAnswerWithheld)
    assert_nothing_secret(shop, again)


async def test_who_may_write_still_may_not_change_what_all_share(shop: Shop):
    manager = Caller(
        shop.boss.tenant_id, scopes=ALL_SCOPES, role="manager", locations=[shop.places["Main"]]
    )
    path = f"/api/inventory/{shop.items['A1']}"

    refused = await shop.client.patch(path, json={"name": "X"}, headers=manager.headers())

    assert_problem(refused, LocationNotAllowed)
