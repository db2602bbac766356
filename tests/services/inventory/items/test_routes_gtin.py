"""Numbers of trade items: one number in any of its lengths, over HTTP."""

import pytest

from services.inventory.items.errors import BarcodeTaken, ItemCodeTaken
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack

UPC, EAN, GTIN = "614141999996", "0614141999996", "00614141999996"
CASE = "10614141999993"
PACKS = [{"unit": "case", "quantity": "12"}]


@pytest.fixture
def look_up(client, caller):
    async def get(code):
        path = "/api/inventory/lookup"
        return (await client.get(path, params={"code": code}, headers=caller.headers())).json()

    return get


async def test_one_number_finds_its_item_in_any_form(
    client, caller, make_item, make_location, move, look_up
):
    await make_location("Main")
    item = await make_item("A1", barcodes=[UPC, {"code": CASE, "unit": "case"}], packs=PACKS)

    for form in (UPC, EAN, GTIN):
        received = await move("receipt", 1, item=form)
        found = await client.get(
            "/api/inventory/search", params={"q": form}, headers=caller.headers()
        )

        assert (received.json()["item"], received.json()["quantity"]) == ("A1", "1")
        assert [each["id"] for each in found.json()["items"]] == [item["id"]]
        assert ((await look_up(form))["id"], (await look_up(form))["pack"]) == (item["id"], None)
    assert (await look_up(CASE))["pack"] == {"unit": "case", "quantity": "12"}
    assert (await move("receipt", 1, item=CASE)).json()["quantity"] == "12"
    listed = await client.get(
        "/api/inventory/movements", params={"item": GTIN}, headers=caller.headers()
    )
    assert len(listed.json()["items"]) == 4


async def test_no_form_of_a_number_names_two_items(client, caller, make_item):
    item = await make_item("A1", barcodes=[UPC, EAN])
    assert item["barcodes"] == [UPC]

    for body, problem in (
        ({"code": "B1", "name": "B", "barcodes": [GTIN]}, BarcodeTaken),
        ({"code": EAN, "name": "B"}, ItemCodeTaken),
    ):
        response = await client.post("/api/inventory", json=body, headers=caller.headers())

        assert_problem(response, problem, item="A1")


async def test_what_may_be_a_mistake_in_a_barcode_is_told_and_kept(client, caller, make_item):
    barcodes = ["12345678", CASE, "123", UPC]

    item = await make_item("A1", barcodes=barcodes, packs=PACKS)

    assert sorted(item["barcodes"]) == sorted(barcodes)
    warnings = {each["barcode"]: each["code"] for each in item["warnings"]}
    assert warnings == {"12345678": "check_digit_wrong", CASE: "pack_unnamed"}
    path = f"/api/inventory/{item['id']}"
    in_french = await client.get(path, headers=caller.headers(**{"Accept-Language": "fr"}))
    assert "chiffre" in in_french.json()["warnings"][0]["message"]


async def test_an_item_is_frozen_by_any_form_of_its_number(client, caller, make_item):
    await make_item("A1", barcodes=[UPC])
    body = {"scope": "item", "item": EAN, "reason": "recall"}
    headers = caller.headers()

    frozen = await client.post("/api/inventory/freezes", json=body, headers=headers)

    assert frozen.json()["item"] == "A1", frozen.text
