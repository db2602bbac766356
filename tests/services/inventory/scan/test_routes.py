"""Scans, over HTTP."""

import pytest

from services.inventory.items.errors import ItemNotFound
from services.inventory.scan.errors import CheckDigitWrong, LabelUnreadable, ScanAmbiguous
from shared.errors import ValidationFailed
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack

GTIN, CASE = "09521234543213", "19521234543210"
PACKS = [{"unit": "case", "quantity": "12"}]


@pytest.fixture
def scan(client, caller):
    async def get(value, **headers):
        return await client.get(
            "/api/inventory/scan", params={"value": value}, headers=caller.headers(**headers)
        )

    return get


@pytest.fixture
async def item(make_item, make_location, move):
    await make_location("Main")
    barcodes = [GTIN[1:], {"code": CASE, "unit": "case"}]
    made = await make_item("A1", packs=PACKS, barcodes=barcodes)
    await move("receipt", 3)
    return made


async def test_a_label_gives_item_lot_expiry_and_unit(scan, item):
    response = await scan(f"]C101{CASE}17270630" + "10LOT-1\x1d372")

    found = response.json()
    assert (found["item"]["id"], found["item"]["on_hand"]) == (item["id"], "3")
    said = ("form", "gtin", "lot", "expiry", "quantity", "unit", "serial")
    assert [found[name] for name in said] == [
        "element_string", CASE, "LOT-1", "2027-06-30", "2", "case", None,
    ]  # fmt: skip
    assert found["elements"][1] == {"ai": "17", "title": "USE BY or EXPIRY", "value": "270630"}


@pytest.mark.parametrize(
    ("value", "form", "unit"),
    [
        (GTIN[1:], "gtin", "each"),
        ("a1", "code", "each"),
        (CASE, "gtin", "case"),
        (f"https://id.gs1.org/01/{GTIN}/21/7", "digital_link", "each"),
        (f"01{GTIN}10AB", "element_string", "each"),
    ],
)
async def test_whatever_names_the_item_finds_it(scan, item, value, form, unit):
    found = (await scan(value)).json()

    assert (found["item"]["id"], found["form"], found["unit"]) == (item["id"], form, unit)


async def test_weight_counts_for_what_is_counted_in_kg(scan, make_item):
    await make_item("CHEESE", unit="Kg", barcodes=[GTIN])

    found = (await scan(f"(01){GTIN}(3103)001750(30)2")).json()

    assert (found["quantity"], found["unit"], found["net_weight_kg"]) == ("1.75", "Kg", "1.75")


async def test_a_label_of_an_unknown_item_is_read_all_the_same(scan):
    found = (await scan(f"(01){GTIN}(10)ABC")).json()

    assert (found["item"], found["gtin"], found["lot"]) == (None, GTIN, "ABC")
    assert (await scan(GTIN)).json()["gtin"] == GTIN


async def test_what_cannot_be_read_is_told_in_words(scan, item, make_item):
    assert_problem(await scan("NOTHING"), ItemNotFound)
    assert_problem(await scan(f"]C101{GTIN}99"), LabelUnreadable, part="99")
    assert_problem(await scan("(01)09521234543214"), CheckDigitWrong, number="09521234543214")
    assert_problem(await scan("A\x07B"), ValidationFailed)
    assert_problem(await scan("A" * 1001), ValidationFailed)
    in_french = await scan("(01)09521234543214", **{"Accept-Language": "fr"})
    assert "chiffre erroné" in in_french.json()["detail"]

    await make_item(f"01{GTIN}10AB")
    both = await scan(f"01{GTIN}10AB")

    assert_problem(both, ScanAmbiguous, candidates=[f"01{GTIN}10AB", "A1"])
