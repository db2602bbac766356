"""Freezes: what they cover, what they refuse and with which words, and what goes on."""

from datetime import timedelta
from uuid import uuid4

import pytest

from services.inventory.freezes.errors import (
    AlreadyFrozen,
    FreezeNotFound,
    Frozen,
    NothingToFreeze,
)
from services.inventory.movements.errors import BulkRefused
from shared.clock import utc_now
from shared.errors import MissingScope, ValidationFailed
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack

PATH = "/api/inventory/freezes"
WHY = "Stocktaking."


@pytest.fixture(autouse=True)
async def stock(make_location, make_item, move):
    """A1 and B1 lie in Main, in its zone Aisle, and in Shop."""
    await make_location("Main")
    await make_location("Aisle", "zone", parent="Main")
    await make_location("Shop")
    for code in ("A1", "B1"):
        await make_item(code, category="Tea")
        for place in ("Main", "Aisle", "Shop"):
            await move("receipt", 10, item=code, location=place)


@pytest.fixture
def freeze(client, caller):
    async def post(scope="everything", reason=WHY, **target):
        body = {"scope": scope, "reason": reason, **target}
        return await client.post(PATH, json=body, headers=caller.headers())

    return post


@pytest.fixture
def lift(client, caller):
    async def delete(freeze, **query):
        path = f"{PATH}/{freeze.json()['id']}"
        return await client.delete(path, params=query, headers=caller.headers())

    return delete


@pytest.fixture
def send(client, caller):
    async def request(method, path, body=None):
        return await client.request(method, path, json=body, headers=caller.headers())

    return request


async def frozen_pairs(move):
    """Return where an issue of one unit is refused because of a freeze."""
    found = set()
    for item in ("A1", "B1"):
        for place in ("Main", "Aisle", "Shop"):
            answer = await move("issue", 1, item=item, location=place)
            if answer.status_code == Frozen.status:
                found.add((item, place))
            else:
                assert answer.status_code == 201, answer.text
    return found


EVERYWHERE = {(item, place) for item in ("A1", "B1") for place in ("Main", "Aisle", "Shop")}


@pytest.mark.parametrize(
    ("target", "covered"),
    [
        ({}, EVERYWHERE),
        ({"scope": "location", "location": "Main"}, {p for p in EVERYWHERE if p[1] != "Shop"}),
        ({"scope": "location", "location": "aisle"}, {p for p in EVERYWHERE if p[1] == "Aisle"}),
        ({"scope": "item", "item": "a1"}, {p for p in EVERYWHERE if p[0] == "A1"}),
    ],
    ids=["everything", "location", "zone", "item"],
)
async def test_a_freeze_stops_what_it_covers_until_it_is_lifted(
    freeze, lift, move, target, covered
):
    made = await freeze(**target)

    assert made.status_code == 201, made.text
    assert await frozen_pairs(move) == covered
    assert (await lift(made)).status_code == 204
    assert await frozen_pairs(move) == set()


async def test_a_freeze_is_not_lifted_before_it_began(monkeypatch, freeze, lift, send):
    made = await freeze()
    monkeypatch.setattr("shared.web.requests.utc_now", lambda: utc_now() - timedelta(hours=1))
    assert (await lift(made)).status_code == 204

    [lifted] = (await send("GET", f"{PATH}?active=false")).json()["items"]
    assert lifted["lifted_at"] == lifted["frozen_at"] == made.json()["frozen_at"]


async def test_each_kind_of_movement_is_refused_with_reason_and_since_when(freeze, move):
    made = (await freeze("location", location="Main")).json()

    told = {"scope": "location", "reason": WHY, "since": made["frozen_at"]}
    assert_problem(await move("receipt", 1, unit_cost=2), Frozen, **told)
    assert_problem(await move("return", 1), Frozen, **told)
    assert_problem(await move("write_off", 1, reason_code="lost"), Frozen, **told)
    assert_problem(await move("count_correction", 10), Frozen, **told)
    assert_problem(await move("issue", 999), Frozen, **told)  # Also what would not fit.
    assert_problem(await move("transfer", 1, to_location="Shop"), Frozen, **told)
    arriving = await move("transfer", 1, location="Shop", to_location="Aisle")
    assert_problem(arriving, Frozen, **told)


async def test_the_refusal_is_in_the_language_of_who_asks(client, caller, freeze):
    await freeze()
    body = {"kind": "issue", "item": "A1", "location": "Main", "quantity": 1}

    answer = await client.post(
        "/api/inventory/movements?lang=fr", json=body, headers=caller.headers()
    )

    assert_problem(answer, Frozen)
    assert answer.json()["title"] == "Gelé"
    assert WHY in answer.json()["detail"]


async def test_a_bulk_call_is_refused_line_by_line(send, freeze):
    await freeze("item", item="A1")
    lines = [
        {"kind": "issue", "item": item, "location": "Shop", "quantity": 1} for item in ("A1", "B1")
    ]
    path = "/api/inventory/movements/bulk"

    each = await send("POST", path, {"mode": "each", "lines": lines})
    atomic = await send("POST", path, {"mode": "atomic", "lines": lines})

    assert [(row["status"], row["code"]) for row in each.json()["results"]] == [
        ("refused", "frozen"), ("applied", None)
    ]  # fmt: skip
    assert WHY in each.json()["results"][0]["message"]
    assert_problem(atomic, BulkRefused, refused=1)


async def test_reads_go_on(send, freeze):
    await freeze()

    for path in (
        "/api/inventory", "/api/inventory/lookup/A1", "/api/inventory/movements",
        "/api/locations", "/api/categories", "/api/inventory/verify", PATH,
    ):  # fmt: skip
        assert (await send("GET", path)).status_code == 200, path


async def test_a_freeze_of_everything_stops_changes_of_master_data(send, freeze, lift):
    item = (await send("GET", "/api/inventory/lookup/A1")).json()
    [place, *_] = (await send("GET", "/api/locations")).json()["items"]
    [category, *_] = (await send("GET", "/api/categories")).json()["items"]
    wanted = [
        ("POST", "/api/inventory/add-item", {"code": "C1", "name": "C1"}),
        ("PUT", f"/api/inventory/{item['id']}", {"code": "A1", "name": "A1"}),
        ("PATCH", f"/api/inventory/{item['id']}", {"unit_cost": "3"}),
        ("POST", "/api/locations", {"name": "New", "type": "warehouse"}),
        ("PATCH", f"/api/locations/{place['id']}", {"capacity": "3"}),
        ("POST", "/api/categories", {"name": "Coffee"}),
        ("PATCH", f"/api/categories/{category['id']}", {"name": "Green tea"}),
    ]
    made = await freeze()

    for method, path, body in wanted:
        assert_problem(await send(method, path, body), Frozen, scope="everything")
    for path in (
        f"/api/inventory/{item['id']}", f"/api/locations/{place['id']}",
        f"/api/categories/{category['id']}",
    ):  # fmt: skip
        assert_problem(await send("DELETE", path), Frozen)

    await lift(made)
    for method, path, body in wanted:
        assert (await send(method, path, body)).is_success, (method, path)


async def test_what_is_frozen_by_itself_does_not_change_and_the_rest_does(send, freeze):
    items = {
        code: (await send("GET", f"/api/inventory/lookup/{code}")).json()["id"]
        for code in ("A1", "B1")
    }
    places = {
        row["name"]: row["id"] for row in (await send("GET", "/api/locations")).json()["items"]
    }
    await freeze("item", item="A1")
    await freeze("location", location="Main")

    for path in (f"/api/inventory/{items['A1']}", f"/api/locations/{places['Aisle']}"):
        assert_problem(await send("DELETE", path), Frozen)
    changed = await send("PATCH", f"/api/inventory/{items['A1']}", {"price": "3"})
    moved = await send("PATCH", f"/api/locations/{places['Aisle']}", {"parent": "Shop"})
    assert_problem(changed, Frozen, scope="item")
    assert_problem(moved, Frozen, scope="location")
    for path, body in (
        (f"/api/inventory/{items['B1']}", {"price": "3"}),
        (f"/api/locations/{places['Shop']}", {"capacity": "3"}),
    ):
        assert (await send("PATCH", path, body)).status_code == 200


async def test_what_is_added_or_moved_into_a_frozen_location_is_frozen(
    send, freeze, lift, move, make_location
):
    other = await make_location("Bin", "bin", parent="Shop")
    made = await freeze("location", location="Main")
    await make_location("New bin", "bin", parent="Aisle")
    await send("PATCH", f"/api/locations/{other['id']}", {"parent": "Aisle"})

    for place in ("New bin", "Bin"):
        assert_problem(await move("receipt", 1, location=place), Frozen)
    await lift(made)
    for place in ("New bin", "Bin"):
        assert (await move("receipt", 1, location=place)).status_code == 201


async def test_what_two_freezes_cover_is_thawed_when_both_are_lifted(freeze, lift, move):
    inner = await freeze("location", "inner", location="Aisle")
    outer = await freeze("location", "outer", location="Main")
    all_of_it = await freeze(reason="all")

    await lift(inner)
    assert_problem(await move("issue", 1, location="Aisle"), Frozen, reason="outer")
    await lift(outer)
    assert_problem(await move("issue", 1, location="Aisle"), Frozen, reason="all")
    await lift(all_of_it)
    assert (await move("issue", 1, location="Aisle")).status_code == 201


async def test_freezes_are_listed_and_what_was_said_is_kept(client, caller, freeze, lift, send):
    first = await freeze("item", item="A1")
    await freeze("location", location="Main")
    await lift(first, note="All counted.")

    active = (await send("GET", PATH)).json()["items"]
    lifted = (await send("GET", f"{PATH}?active=false")).json()["items"]

    assert [(row["scope"], row["location"], row["item"]) for row in active] == [
        ("location", "Main", None)
    ]
    assert (active[0]["lifted_at"], active[0]["frozen_by"]) == (None, f"user:{caller.id}")
    assert [(row["item"], row["note"]) for row in lifted] == [("A1", "All counted.")]
    assert lifted[0]["lifted_by"] == f"user:{caller.id}"
    page = (await send("GET", f"{PATH}?active=false&limit=1")).json()
    assert page["next_cursor"] is None


async def test_a_refusal_names_what_is_frozen(freeze, lift, move, send):
    places = {
        each["name"]: each["id"] for each in (await send("GET", "/api/locations")).json()["items"]
    }
    item_id = (await send("GET", "/api/inventory/lookup/A1")).json()["id"]
    nothing = dict.fromkeys(("item", "item_id", "location", "location_id"))
    for target, told, words in (
        ({}, {}, "All stock is frozen since "),
        ({"scope": "location", "location": "Main"},
         {"location": "Main", "location_id": places["Main"]}, "The location Main is frozen"),
        ({"scope": "item", "item": "A1"}, {"item": "A1", "item_id": item_id},
         "The item A1 is frozen since "),
    ):  # fmt: skip
        made = await freeze(**target)
        refused = await move("issue", 1, item="A1", location="Aisle")

        assert_problem(refused, Frozen, scope=made.json()["scope"], **nothing | told)
        assert words in refused.json()["detail"]
        assert refused.json()["since"] not in refused.json()["detail"]
        shown = await send("GET", f"{PATH}/{made.json()['id']}")
        assert shown.json() == made.json()
        await lift(made)
        assert (await send("GET", f"{PATH}/{made.json()['id']}")).json()["lifted_at"]
    assert_problem(await send("GET", f"{PATH}/{item_id}"), FreezeNotFound)


async def test_who_is_limited_to_a_part_of_what_is_frozen_is_not_told_of_the_rest(
    client, caller, freeze, send
):
    places = {
        each["name"]: each["id"] for each in (await send("GET", "/api/locations")).json()["items"]
    }
    limited = Caller(caller.tenant_id, locations=[places["Aisle"]])
    body = {"kind": "issue", "item": "A1", "location": "Aisle", "quantity": 1}
    line = {"item": "A1", "location": "Aisle", "quantity": 1}

    async def post(path, body):
        return await client.post(f"/api/inventory/{path}", json=body, headers=limited.headers())

    held = (await post("reservations", {"lines": [line]})).json()["id"]
    await freeze("location", location="Main")
    for path, asked in (
        ("movements", body), (f"reservations/{held}/release", {}),
        ("movements", body | {"kind": "count_correction"}),
    ):  # fmt: skip
        refused = await post(path, asked)
        assert_problem(refused, Frozen, scope="location", location=None, location_id=None)
        assert "Main" not in refused.text
    await freeze("location", location="Aisle")
    assert "Main" not in (await post("movements", body)).text


async def test_a_freeze_names_what_is_there_and_once(freeze, lift, send):
    assert_problem(await freeze("item", item="Z9"), NothingToFreeze, target="Z9")
    assert_problem(await freeze("location", location=str(uuid4())), NothingToFreeze)
    assert_problem(await freeze("item"), ValidationFailed)
    assert_problem(await freeze("location", location="Main", item="A1"), ValidationFailed)
    assert_problem(await freeze(location="Main"), ValidationFailed)
    first = await freeze()
    assert_problem(await freeze(), AlreadyFrozen)
    await lift(first)
    assert_problem(await lift(first), FreezeNotFound)
    assert_problem(await send("DELETE", f"{PATH}/{uuid4()}"), FreezeNotFound)
    assert (await freeze()).status_code == 201


async def test_only_who_operates_freezes(client, caller, freeze):
    made = (await freeze("item", item="A1")).json()
    clerk = Caller(caller.tenant_id, scopes={"inventory:read", "inventory:write", "stock:write"})
    stranger = Caller()

    for method, path, body in (
        ("POST", PATH, {"scope": "everything", "reason": "x"}), ("GET", PATH, None),
        ("DELETE", f"{PATH}/{made['id']}", None),
    ):  # fmt: skip
        answer = await client.request(method, path, json=body, headers=clerk.headers())
        assert_problem(answer, MissingScope)
    answer = await client.delete(f"{PATH}/{made['id']}", headers=stranger.headers())
    assert_problem(answer, FreezeNotFound)
    assert (await client.get(PATH, headers=stranger.headers())).json()["items"] == []


async def test_a_location_that_was_frozen_stays_on_record(send, freeze, lift, make_location):
    place = await make_location("Unused")
    await lift(await freeze("location", location="Unused"))

    retired = await send("DELETE", f"/api/locations/{place['id']}")

    assert retired.status_code == 204
    assert (await send("GET", f"/api/locations/{place['id']}")).json()["active"] is False
