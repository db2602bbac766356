"""What other features read of the ledger, once a month of it has left."""

from datetime import timedelta

import pytest

from shared.clock import utc_now
from tests.support.past import MONTHS
from tests.support.services import Caller

pytestmark = pytest.mark.stack
JANUARY = MONTHS[0]


@pytest.fixture
def send(client, caller):
    async def request(method, path, body=None, *, by=None, status=None):
        headers = (by or caller).headers()
        answer = await client.request(method, path, json=body, headers=headers)
        assert answer.status_code == status if status else answer.is_success, answer.text
        return answer.json()

    return request


async def test_use_is_told_over_the_same_days(make_location, make_item, move, past, send):
    await make_location("Main")
    await make_item("A1", reorder_point="60", lead_time_days=3)
    await move("receipt", 50)
    await past.age(JANUARY)
    await move("issue", 9)
    before = await send("GET", "/api/inventory/low-stock")

    await past.detach(JANUARY)

    after = await send("GET", "/api/inventory/low-stock")
    assert [each["daily_use"] for each in after["items"]] == [
        each["daily_use"] for each in before["items"]
    ]
    assert len(after["items"]) == 1


async def test_when_a_level_was_counted_last_is_still_known(
    make_location, make_item, move, past, send
):
    await make_location("Main")
    for item in ("A1", "B1"):
        await make_item(item)
        await move("receipt", 5, item)
        counted = (await move("count_correction", 4, item)).json()
    await send("POST", f"/api/inventory/movements/{counted['id']}/reverse", {"reason": "typo"})
    await past.age(JANUARY)
    before = await send("GET", "/api/inventory/counts/proposals")

    await past.detach(JANUARY)

    after = await send("GET", "/api/inventory/counts/proposals")
    known = {each["item"]: each["last_counted_at"] for each in after["items"]}
    assert known == {each["item"]: each["last_counted_at"] for each in before["items"]}
    assert known["A1"].startswith("2018-01")
    assert known["B1"] is None


async def test_a_cancelled_count_expects_nothing_of_a_time_that_left(
    make_location, make_item, move, past, send, superuser, caller
):
    await make_location("Main")
    await make_item("A1")
    await move("receipt", 5)
    count = await send("POST", "/api/inventory/counts", {"locations": ["Main"], "blind": False})
    path = f"/api/inventory/counts/{count['id']}"
    line = {"item": "A1", "location": "Main", "quantity": "4"}
    await send("PUT", f"{path}/lines", {"lines": [line]})
    await send("POST", f"{path}/cancel", {"reason": "Wrong aisle."})
    await move("issue", 1)
    await past.age(JANUARY)
    await superuser.execute(
        "UPDATE inventory.count_lines SET counted_at = '2018-01-02' WHERE tenant_id = $1",
        caller.tenant_id,
    )
    assert (await send("GET", f"{path}/lines"))["items"][0]["expected"] == "0"

    await past.detach(JANUARY)

    [shown] = (await send("GET", f"{path}/lines"))["items"]
    assert (shown["expected"], shown["variance"]) == (None, None)


async def test_an_approval_to_undo_what_left_meanwhile_changes_nothing(
    make_location, make_item, move, past, send, caller
):
    await make_location("Main")
    await make_item("A1")
    await move("receipt", 5)
    lost = (await move("write_off", 2, reason_code="lost")).json()
    await send("PUT", "/api/inventory/approvals/limits",
               {"limits": [], "quantity_without_cost": "0"})  # fmt: skip
    path = f"/api/inventory/movements/{lost['id']}/reverse"
    waiting = await send("POST", path, {"reason": "found again"}, status=202)
    await past.age(JANUARY)
    await past.detach(JANUARY)

    path = f"/api/inventory/approvals/{waiting['id']}/approve"
    refused = await send("POST", path, by=Caller(caller.tenant_id), status=410)

    assert refused["code"] == "movements_archived"
    assert (await send("GET", "/api/inventory/lookup/A1"))["on_hand"] == "3"


async def test_a_return_of_what_left_is_one_without_proof(
    make_location, make_item, move, past, send
):
    await make_location("Main")
    await make_item("A1")
    await move("receipt", 5)
    await move("issue", 2, reference="SO-1")
    await past.age(JANUARY)
    await past.detach(JANUARY)
    await send("PUT", "/api/inventory/approvals/limits",
               {"limits": [], "quantity_without_cost": "0"})  # fmt: skip

    back = await move("return", 2, reference="SO-1", reason_code="not_needed")

    assert back.status_code == 202, back.text


async def test_what_is_bulk_and_too_old_is_refused_line_by_line(
    make_location, make_item, move, past, send
):
    await make_location("Main")
    await make_item("A1")
    await move("receipt", 5)
    await past.age(JANUARY)
    await past.detach(JANUARY)
    line = {"kind": "receipt", "item": "A1", "location": "Main", "quantity": "1"}
    lines = [line | {"occurred_at": "2018-01-10T00:00:00Z"},
             line | {"occurred_at": (utc_now() - timedelta(days=1)).isoformat()}]  # fmt: skip

    found = await send("POST", "/api/inventory/movements/bulk", {"mode": "each", "lines": lines})

    assert [each["status"] for each in found["results"]] == ["refused", "applied"]
    assert found["results"][0]["code"] == "movements_archived"
