"""Serial numbers: where each unit lies, its history, and the list of those of an item."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from services.inventory.ledger.errors import LotNotFound
from services.inventory.locations.errors import LocationNotFound
from services.inventory.scan.errors import ScanAmbiguous
from services.inventory.serials.errors import SerialNotFound
from shared.clock import utc_now
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack

PATH = "/api/inventory/serials"


@pytest.fixture(autouse=True)
async def places(make_location):
    return {name: (await make_location(name))["id"] for name in ("Main", "Shop")}


@pytest.fixture
def read(client, caller):
    async def get(path, limited_to=None, **query):
        headers = (caller if limited_to is None else limited(caller, limited_to)).headers()
        return await client.get(path, params=query, headers=headers)

    return get


def limited(caller, *places):
    return replace(caller, locations=[UUID(place) for place in places])


@pytest.fixture
async def item(make_item, move):
    made = await make_item("A1", tracking="serial")
    await move("receipt", None, serials=["S1", "S2", "S3"], reference="PO-1")
    await move("transfer", None, serials=["S1"], to_location="Shop")
    await move("issue", None, serials=["S1"], location="Shop", reason="sale")
    await move("return", None, serials=["S1"], reason_code="not_needed")
    await move("count_correction", None, serials=["S1", "S2"])
    return made


async def test_a_serial_has_its_whole_history_in_order(read, item, places):
    answer = await read(f"{PATH}/s1")

    assert answer.status_code == 200, answer.text
    [found] = answer.json()["found"]
    assert (found["item"], found["serial"], found["location"]) == ("A1", "S1", "Main")
    assert [
        (one["kind"], one["from_location"], one["to_location"]) for one in answer.json()["items"]
    ] == [
        ("receipt", None, "Main"),
        ("transfer", "Main", "Shop"),
        ("issue", "Shop", None),
        ("return", None, "Main"),
        ("count_correction", "Main", "Main"),
    ]
    assert answer.json()["items"][0]["reference"] == "PO-1"


async def test_the_history_comes_in_pages_and_late_movements_in_their_place(read, item, move):
    long_ago = (utc_now() - timedelta(days=9)).isoformat()
    await move("receipt", None, serials=["S8"])
    await move("issue", None, serials=["S8"])
    await move("receipt", None, serials=["S9"], occurred_at=long_ago)
    whole = (await read(f"{PATH}/S1")).json()["items"]

    pages, cursor = [], {}
    for _ in range(len(whole)):
        page = (await read(f"{PATH}/S1", limit=1, **cursor)).json()
        pages += page["items"]
        cursor = {"cursor": page["next_cursor"]}

    assert pages == whole
    assert cursor == {"cursor": None}


async def test_who_is_limited_sees_what_was_at_his_places(read, item, places):
    there = (await read(f"{PATH}/S1", places["Shop"])).json()
    unknown = await read(f"{PATH}/S2", places["Shop"])
    listed = (await read(f"/api/inventory/{item['id']}/serials", places["Shop"])).json()
    not_his = await read(f"/api/inventory/{item['id']}/serials", places["Shop"], location="Main")

    assert (there["found"][0]["location"], there["found"][0]["location_id"]) == (None, None)
    assert [(m["kind"], m["from_location"], m["to_location"]) for m in there["items"]] == [
        ("transfer", None, "Shop"),
        ("issue", "Shop", None),
    ]
    assert_problem(unknown, SerialNotFound)
    assert [one["serial"] for one in listed["items"]] == ["S1"]
    assert_problem(not_his, LocationNotFound)


async def test_a_refusal_does_not_tell_where_who_may_not_know(client, caller, item, places):
    body = {"kind": "receipt", "item": "A1", "location": "Shop", "serials": ["S2"]}
    answer = await client.post(
        "/api/inventory/movements", json=body, headers=limited(caller, places["Shop"]).headers()
    )

    assert answer.json()["serials"] == [{"serial": "S2", "reason": "in_stock", "location": None}]
    assert "Main" not in answer.text


async def test_serials_of_an_item_are_listed_by_where_they_lie(read, item):
    async def listed(**query):
        answer = await read(f"/api/inventory/{item['id']}/serials", **query)
        assert answer.status_code == 200, answer.text
        return [(one["serial"], one["location"]) for one in answer.json()["items"]]

    assert await listed() == [("S1", "Main"), ("S2", "Main"), ("S3", None)]
    assert await listed(on_hand=True) == [("S1", "Main"), ("S2", "Main")]
    assert await listed(on_hand=False) == [("S3", None)]
    assert await listed(location="Main") == [("S1", "Main"), ("S2", "Main")]
    assert await listed(location="Shop") == []
    assert await listed(location="Shop", on_hand=False) == [("S1", "Main")]
    assert await listed(limit=1) == [("S1", "Main")]


async def test_a_serial_may_be_one_of_several_items(read, item, make_item, move):
    await make_item("B1", tracking="serial")
    await make_item("C1", tracking="lot")
    await move("receipt", None, item="B1", serials=["S1"])
    await move("receipt", 1, item="C1", lot="S1")

    both = (await read(f"{PATH}/S1")).json()
    one = (await read(f"{PATH}/S1", item="B1")).json()

    assert [found["item"] for found in both["found"]] == ["A1", "B1"]
    assert [found["item"] for found in one["found"]] == ["B1"]
    assert [move["kind"] for move in one["items"]] == ["receipt"]


async def test_a_serial_is_no_lot(client, caller, read, item):
    lots = (await read(f"/api/inventory/{item['id']}/lots")).json()
    trace = await read("/api/inventory/lots/S1/trace")
    serials = (await read(f"/api/inventory/{item['id']}/serials")).json()
    changed = await client.patch(
        f"/api/inventory/{item['id']}/lots/{serials['items'][0]['id']}",
        json={"expires_on": "2099-01-01"},
        headers=caller.headers(),
    )

    assert lots["items"] == []
    assert_problem(trace, LotNotFound)
    assert_problem(changed, LotNotFound)


async def test_nobody_else_sees_a_serial(client, read, item):
    answer = await client.get(f"{PATH}/S1", headers=Caller().headers())
    unknown = await read(f"{PATH}/S7")
    french = await read(f"{PATH}/S7", lang="fr")

    assert_problem(answer, SerialNotFound)
    assert_problem(unknown, SerialNotFound)
    assert french.json()["title"] == "Numéro de série introuvable"


async def test_a_scan_of_a_serial_says_which_and_where(read, item, make_item, move):
    plain = (await read("/api/inventory/scan", value="s1")).json()
    gone = (await read("/api/inventory/scan", value="S3")).json()
    await make_item("B1", tracking="serial", barcodes=["4006381333931"])
    await move("receipt", None, item="B1", serials=["S1"], location="Shop")
    label = (await read("/api/inventory/scan", value="(01)04006381333931(21)S1")).json()
    ambiguous = await read("/api/inventory/scan", value="S1")

    assert (plain["form"], plain["item"]["code"]) == ("serial", "A1")
    assert (plain["serial"], plain["serial_location"]) == ("S1", "Main")
    assert (gone["serial"], gone["serial_location"]) == ("S3", None)
    assert (label["form"], label["serial"], label["serial_location"]) == (
        "element_string",
        "S1",
        "Shop",
    )
    assert_problem(ambiguous, ScanAmbiguous)
