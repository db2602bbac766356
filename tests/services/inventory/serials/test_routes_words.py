"""A serial is told as a serial wherever it is told, and never as a lot."""

import pytest

pytestmark = pytest.mark.stack

CODE = "SN-77"


def lots_in(found):
    """Return what stands under names of lots in an answer, on any level."""
    if isinstance(found, list):
        return [each for one in found for each in lots_in(one)]
    if not isinstance(found, dict):
        return []
    own = [value for name, value in found.items() if name == "lot" and value is not None]
    return own + [each for value in found.values() for each in lots_in(value)]


async def test_no_answer_calls_a_serial_a_lot(client, caller, make_location, make_item, move):
    async def send(method, path, body=None):
        answer = await client.request(method, path, json=body, headers=caller.headers())
        assert answer.status_code < 500, answer.text
        return answer.json()

    await make_location("Main")
    await make_location("Shop")
    await make_location("On the road", "transit")
    item = await make_item("S1", tracking="serial", unit_cost="2000")
    told = [(await move("receipt", None, "S1", serials=[CODE, "SN-78", "SN-79"])).json()]
    line = {"item": "S1", "location": "Main", "serials": ["SN-79"]}
    held = await send("POST", "/api/inventory/reservations", {"lines": [line]})
    sent = await send(
        "POST", "/api/inventory/transfers", line | {"to_location": "Shop", "serials": ["SN-78"]}
    )
    count = await send("POST", "/api/inventory/counts", {"locations": ["Main"]})
    entry = {"item": "S1", "location": "Main", "serial": CODE, "quantity": "0"}
    counts = f"/api/inventory/counts/{count['id']}"
    told.append(await send("PUT", f"{counts}/lines", {"lines": [entry]}))
    asked = await send("POST", f"{counts}/post", {"uncounted": "zero"})
    refused = asked if "results" in asked else await send("POST", f"{counts}/post", {})
    gone = {"kind": "write_off", "item": "S1", "location": "Main", "serials": [CODE],
            "reason_code": "lost"}  # fmt: skip
    waiting = await send("POST", "/api/inventory/movements", gone)
    told += [held, sent, count, asked, refused, waiting]
    for path in (
        "lookup/S1", f"{item['id']}/stock", f"{item['id']}/lots", f"{item['id']}/serials",
        f"serials/{CODE}", "movements?item=S1", f"reservations/{held['id']}",
        f"transfers/{sent['id']}", f"counts/{count['id']}/lines", "counts/proposals",
        f"approvals/{waiting['id']}", "scan?code=S1", "verify",
    ):  # fmt: skip
        told.append(await send("GET", f"/api/inventory/{path}"))

    no_lot = await send("GET", f"/api/inventory/lots/{CODE}/trace")
    assert no_lot["code"] == "lot_not_found"
    assert waiting["message"], waiting
    assert CODE in str(told)
    assert lots_in(told) == []
