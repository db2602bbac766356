"""A trace goes on through kits: what a lot became, what it was made of, and out of kits again."""

import pytest

from tests.support.services import Caller

pytestmark = pytest.mark.stack

KITS = "/api/inventory/kits"


@pytest.fixture
def send(client, caller):
    async def request(method, path, body=None, who=None, **query):
        sent = (who or caller).headers()
        answer = await client.request(method, path, json=body, params=query, headers=sent)
        assert answer.is_success, answer.text
        return answer.json()

    return request


@pytest.fixture(autouse=True)
async def kits(send, make_location, make_item, move):
    """Boxes of two of PASTA and one of SAUCE, and hampers of three boxes; a lot of each part."""
    await make_location("Main")
    for code in ("PASTA", "SAUCE", "BOX", "HAMPER"):
        await make_item(code, tracking="lot")
    for code, lot in (("PASTA", "L"), ("PASTA", "L2"), ("SAUCE", "S")):
        answer = await move("receipt", 50, item=code, lot=lot, reference=f"PO-{lot}")
        assert answer.status_code == 201, answer.text
    made = {}
    for code, parts in (("BOX", {"PASTA": 2, "SAUCE": 1}), ("HAMPER", {"BOX": 3})):
        components = [{"item": part, "quantity": number} for part, number in parts.items()]
        made[code] = (await send("POST", KITS, {"item": code, "components": components}))["id"]
    return made


@pytest.fixture
def act(send, kits):
    async def post(kit, quantity, lot, *picks, act="assemble"):
        picked = [{"item": item, "lot": of, "quantity": number} for item, of, number in picks]
        body = {"quantity": quantity, "location": "Main", "lot": lot, "picks": picked}
        return await send("POST", f"{KITS}/{kits[kit]}/{act}", body)

    return post


@pytest.fixture
def trace(send):
    async def read(lot, **query):
        rows = (await send("GET", f"/api/inventory/lots/{lot}/trace", **query))["items"]
        return [
            (row["way"], row["kind"], row["item"], row["lot"] or row["serial"], row["generation"])
            for row in reversed(rows)
        ]

    return read


async def test_a_lot_is_traced_into_kits_of_kits_and_out_to_who_got_them(act, trace, move, send):
    await act("BOX", 6, "B", ("PASTA", "L", 12))
    await act("BOX", 3, "OTHER", ("PASTA", "L2", 6))
    await act("HAMPER", 1, "H", ("BOX", "B", 3))
    await move("issue", 1, item="HAMPER", lot="H", reference="SO-7")
    await move("issue", 1, item="BOX", lot="OTHER", reference="SO-8")

    assert await trace("L", way="out") == [
        ("out", "assembly", "PASTA", "L", 0),
        ("out", "assembly", "BOX", "B", 1),
        ("out", "issue", "HAMPER", "H", 2),
    ]
    alone = await trace("L", through_kits="false")
    assert alone == [("in", "receipt", "PASTA", "L", 0), ("out", "assembly", "PASTA", "L", 0)]
    rows = (await send("GET", "/api/inventory/lots/L/trace", way="out"))["items"]
    went = rows[-1]
    assert [(k["item"], k["lot"], k["quantity"]) for k in went["became"]] == [("BOX", "B", "6")]
    assert went["made_of"] == []
    assert went["part_of"] is not None
    assert rows[0]["reference"] == "SO-7"


async def test_the_lot_of_a_kit_is_traced_back_to_who_its_parts_came_from(act, trace, send):
    await act("BOX", 6, "B", ("PASTA", "L", 8), ("PASTA", "L2", 4))
    await act("HAMPER", 1, "H", ("BOX", "B", 3))

    assert await trace("H", way="in") == [
        ("in", "receipt", "PASTA", "L", -2),
        ("in", "receipt", "PASTA", "L2", -2),
        ("in", "receipt", "SAUCE", "S", -2),
        ("in", "assembly", "BOX", "B", -1),
        ("in", "assembly", "HAMPER", "H", 0),
    ]
    rows = (await send("GET", "/api/inventory/lots/B/trace", way="in", item="BOX"))["items"]
    assert [(k["item"], k["lot"], k["quantity"]) for k in rows[0]["made_of"]] == [
        ("PASTA", "L", "8"), ("PASTA", "L2", "4"), ("SAUCE", "S", "6"),
    ]  # fmt: skip
    assert rows[0]["became"] == []


async def test_it_goes_on_through_taking_apart_for_its_own_item_alone(act, trace):
    await act("BOX", 6, "B", ("PASTA", "L", 12))
    await act("BOX", 1, "B", ("PASTA", "BACK", 2), ("SAUCE", "SB", 1), act="disassemble")

    out = await trace("L", way="out")
    assert ("out", "disassembly", "BOX", "B", 1) in out
    assert {lot for _, _, _, lot, _ in await trace("L")} == {"L", "B", "BACK"}
    back = await trace("BACK", way="in")
    assert {(item, lot, steps) for _, _, item, lot, steps in back} == {
        ("PASTA", "BACK", 0), ("BOX", "B", -1), ("PASTA", "L", -2)
    }  # fmt: skip
    whole = {lot for _, _, _, lot, _ in await trace("B", item="BOX")}
    assert whole == {"B", "L", "S", "BACK", "SB"}


async def test_what_was_undone_ties_nothing(act, trace, send):
    made = await act("BOX", 6, "B", ("PASTA", "L", 12))
    path = f"/api/inventory/movements/{made['id']}/reverse"
    await send("POST", path, {"reason": "Another lot was taken."})

    assert {lot for _, _, _, lot, _ in await trace("L")} == {"L"}


async def test_kits_with_serials_and_without_lots_are_told(send, make_item, kits, trace):
    await make_item("UNIT", tracking="serial")
    await make_item("PLAIN")
    for code, more in (("UNIT", {"serials": ["N1", "N2"]}), ("PLAIN", {})):
        body = {"item": code, "components": [{"item": "PASTA", "quantity": 1}]}
        kit = await send("POST", KITS, body)
        picks = [{"item": "PASTA", "lot": "L", "quantity": 2}]
        body = {"quantity": 2, "location": "Main", "picks": picks} | more
        await send("POST", f"{KITS}/{kit['id']}/assemble", body)

    assert {lot for _, _, _, lot, _ in await trace("L")} == {"L", "N1", "N2"}
    rows = (await send("GET", "/api/inventory/lots/L/trace", way="out"))["items"]
    became = [[(k["item"], k["lot"], k["serial"]) for k in row["became"]] for row in rows]
    assert became == [
        [("PLAIN", None, None)], [("UNIT", None, "N1"), ("UNIT", None, "N2")]
    ]  # fmt: skip


async def test_who_is_limited_is_led_through_what_happened_at_his_places(
    send, act, caller, trace, move, make_location
):
    shop = (await make_location("Shop"))["id"]
    await act("BOX", 6, "B", ("PASTA", "L", 12))
    await move("transfer", 1, item="PASTA", lot="L", to_location="Shop")
    await move("transfer", 1, item="BOX", lot="B", to_location="Shop")
    limited = Caller(caller.tenant_id, locations=[shop])

    rows = (await send("GET", "/api/inventory/lots/L/trace", None, limited))["items"]

    assert [(row["lot"], row["location"]) for row in rows] == [("L", "Shop")]


async def test_a_count_that_found_as_much_went_no_way(move, trace):
    answer = await move("count_correction", 50, item="PASTA", lot="L")
    assert answer.status_code == 201, answer.text

    traced = await trace("L")

    assert traced[-1] == (None, "count_correction", "PASTA", "L", 0)
    assert [row[1] for row in await trace("L", way="out")] == []
