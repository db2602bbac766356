"""Units, packs and their barcodes, over HTTP."""

import pytest

from services.inventory.items.errors import (
    BarcodeOnTwoUnits,
    PackBarcodeIsCode,
    PackIsStockUnit,
    PackSizeContradicts,
    UnknownUnit,
)
from shared.errors import ValidationFailed
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack

CASE = {"unit": "Case", "quantity": "12"}
PALLET = {"unit": "pallet", "quantity": "480"}
OF_CASE = {"code": "CASE-1", "unit": "Case"}


@pytest.fixture
def send(client, caller):
    async def request(method, item, body):
        path = f"/api/inventory/{item['id']}"
        return await client.request(method, path, json=body, headers=caller.headers())

    return request


async def test_an_item_has_packs_and_barcodes_of_them(make_item, send):
    barcodes = ["UNIT-1", {"code": "CASE-1", "unit": "CASE"}, {"code": "UNIT-2", "unit": "each"}]
    item = await make_item(packs=[CASE, PALLET], pack_unit="case", barcodes=barcodes)

    assert item["packs"] == [CASE, PALLET]
    assert (item["pack_unit"], item["pack_size"]) == ("case", "12")
    assert item["barcodes"] == [OF_CASE, "UNIT-1", "UNIT-2"]
    fields = ("code", "name", "packs", "pack_unit", "pack_size", "barcodes")
    again = await send("PUT", item, {field: item[field] for field in fields})
    assert [again.json()[field] for field in fields] == [item[field] for field in fields]


async def test_the_earlier_fields_are_the_pack_that_it_is_ordered_in(make_item, send):
    item = await make_item(pack_size="6", pack_unit="box")
    assert item["packs"] == [{"unit": "box", "quantity": "6"}]

    larger = await send("PATCH", item, {"pack_size": "8"})
    assert larger.json()["packs"] == [{"unit": "box", "quantity": "8"}]

    other = await send("PATCH", item, {"packs": [{"unit": "box", "quantity": "9"}, PALLET]})
    assert other.json()["pack_size"] == "9"

    named = await send("PATCH", item, {"pack_unit": "Pallet"})
    assert named.json()["pack_size"] == "480"


@pytest.mark.parametrize(
    ("body", "problem", "members"),
    [
        ({"packs": [{"unit": "EACH", "quantity": 2}]}, PackIsStockUnit, {"unit": "EACH"}),
        ({"packs": [PALLET]}, UnknownUnit, {"unit": "Case", "units": ["each", "pallet"]}),
        ({"barcodes": [{"code": "X", "unit": "bag"}]}, UnknownUnit, {"units": ["each", "Case"]}),
        ({"barcodes": [{"code": "a1", "unit": "case"}]}, PackBarcodeIsCode, {"barcode": "a1"}),
        ({"code": "case-1"}, PackBarcodeIsCode, {"barcode": "CASE-1"}),
        (
            {"barcodes": ["4006381333931", {"code": "04006381333931", "unit": "case"}]},
            BarcodeOnTwoUnits,
            {"barcode": "04006381333931"},
        ),
        ({"barcodes": [{"code": "x", "unit": "case"}, "X"]}, BarcodeOnTwoUnits, {"item": "A1"}),
        (
            {"packs": [CASE], "pack_unit": "case", "pack_size": 10},
            PackSizeContradicts,
            {"holds": "12", "pack_size": "10"},
        ),
        ({"packs": [CASE, {"unit": "case", "quantity": 1}]}, ValidationFailed, {}),
        ({"packs": [{"unit": "c", "quantity": "0.00001"}]}, ValidationFailed, {}),
        ({"packs": [{"unit": f"u{n}", "quantity": 2} for n in range(21)]}, ValidationFailed, {}),
        ({"packs": None}, ValidationFailed, {}),
    ],
)
async def test_units_that_contradict_each_other_are_refused(
    make_item, send, body, problem, members
):
    item = await make_item(packs=[CASE], pack_unit="Case", barcodes=[OF_CASE])

    response = await send("PATCH", item, body)

    assert_problem(response, problem, **members)


async def test_a_pack_with_a_barcode_stays_until_that_goes(make_item, send):
    item = await make_item(packs=[CASE], barcodes=[OF_CASE])

    kept = await send("PATCH", item, {"packs": []})
    gone = await send("PATCH", item, {"packs": [], "barcodes": ["CASE-1"]})

    assert_problem(kept, UnknownUnit, unit="case")
    assert (gone.json()["packs"], gone.json()["barcodes"]) == ([], ["CASE-1"])
