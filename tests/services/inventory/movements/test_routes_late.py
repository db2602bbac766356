"""Business time: nothing may make the stock of any past instant negative."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from services.inventory.ledger.errors import (
    CountTooLow,
    InsufficientStockThen,
    KnownInFuture,
)
from shared.clock import utc_now
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
async def item(make_location, make_item):
    await make_location("Main")
    return await make_item("A1")


def days_ago(days: float) -> str:
    return (utc_now() - timedelta(days=days)).isoformat()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.fixture
def stock(client, caller, item):
    """What lay of the item then, in all."""

    async def ask(**when: str) -> str:
        answer = await client.get(
            f"/api/inventory/{item['id']}/stock", params=when, headers=caller.headers()
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["on_hand"]

    return ask


async def assert_verified(client, caller):
    answer = await client.get("/api/inventory/verify", headers=caller.headers())
    assert answer.json()["ok"], answer.text


async def test_a_late_count_that_finds_what_lay_then_changes_nothing(client, caller, move, stock):
    await move("receipt", 10, occurred_at=days_ago(3))
    await move("issue", 4, occurred_at=days_ago(1))

    counted = await move("count_correction", 10, occurred_at=days_ago(2))

    assert (counted.json()["change"], counted.json()["backdated"]) == ("0", True)
    assert await stock() == "6"
    assert await stock(as_of=days_ago(2)) == "10"
    await assert_verified(client, caller)


async def test_an_issue_before_the_first_receipt_is_told_when_it_would_fit(
    client, caller, move, stock
):
    received_at = days_ago(2)
    await move("receipt", 5, occurred_at=received_at)

    refused = await move("issue", 4, occurred_at=days_ago(3))

    assert_problem(refused, InsufficientStockThen, available="0", requested="4")
    fits_from = refused.json()["fits_from"]
    assert moment(fits_from) == moment(received_at)
    assert await stock() == "5"

    granted = await move("issue", 4, occurred_at=fits_from)
    assert granted.status_code == 201, granted.text
    assert not granted.json()["backdated"]
    await assert_verified(client, caller)


async def test_a_late_issue_may_take_only_what_nobody_took_since(client, caller, move, stock):
    await move("receipt", 10, occurred_at=days_ago(9))
    await move("issue", 7, occurred_at=days_ago(5))
    await move("receipt", 20, occurred_at=days_ago(1))

    refused = await move("issue", 4, occurred_at=days_ago(8))
    granted = await move("issue", 3, occurred_at=days_ago(8))

    assert_problem(refused, InsufficientStockThen, available="3")
    assert moment(refused.json()["fits_from"]) > moment(days_ago(2))
    assert (granted.status_code, granted.json()["backdated"]) == (201, True)
    assert await stock(as_of=days_ago(4)) == "0"
    await assert_verified(client, caller)


async def test_the_refusal_of_a_late_issue_comes_in_french(client, caller, move):
    await move("receipt", 5, occurred_at=days_ago(1))
    body = {"kind": "issue", "item": "A1", "location": "Main", "quantity": 1}

    refused = await client.post(
        "/api/inventory/movements",
        json=body | {"occurred_at": days_ago(2)},
        headers=caller.headers(**{"Accept-Language": "fr"}),
    )

    assert "le stock initial précède" in refused.json()["detail"]


async def test_a_late_transfer_is_judged_at_the_end_it_takes_from(
    client, caller, move, make_location
):
    await make_location("Shop")
    await move("receipt", 5, occurred_at=days_ago(2))

    refused = await move("transfer", 5, to_location="Shop", occurred_at=days_ago(3))
    granted = await move("transfer", 5, to_location="Shop", occurred_at=days_ago(1))
    late = await move("issue", 5, location="Shop", occurred_at=days_ago(1.5))

    assert_problem(refused, InsufficientStockThen)
    assert granted.status_code == 201
    assert_problem(late, InsufficientStockThen)
    await assert_verified(client, caller)


async def test_a_clock_minutes_ahead_is_set_to_now(client, caller, move, stock):
    ahead = (utc_now() + timedelta(minutes=3)).isoformat()

    moved = await move("receipt", 10, occurred_at=ahead)

    assert moment(moved.json()["occurred_at"]) <= utc_now()
    found = await client.get("/api/inventory/lookup/A1", headers=caller.headers())
    assert found.json()["on_hand"] == await stock() == await stock(as_of=utc_now().isoformat())
    assert not (await move("issue", 10)).json()["backdated"]


async def test_two_years_in_order_of_time_are_not_backdated(client, caller):
    lines = [
        {"kind": kind, "item": "A1", "location": "Main", "quantity": 1, "occurred_at": days_ago(n)}
        for n in range(700, 0, -1)
        for kind in ("receipt", "issue")
    ]
    body = {"lines": lines}

    answer = await client.post("/api/inventory/movements/bulk", json=body, headers=caller.headers())

    assert answer.json()["applied"] == 1400, answer.text
    listed = await client.get("/api/inventory/movements?limit=200", headers=caller.headers())
    assert {movement["backdated"] for movement in listed.json()["items"]} == {False}
    await assert_verified(client, caller)


async def test_lines_in_any_order_of_time_are_judged_by_it(client, caller):
    """Receipts first, then as many issues, each a day after its receipt, the latest day first."""
    receipts = [("receipt", n) for n in range(2, 300)]
    issues = [("issue", n - 1) for n in range(2, 300)]
    lines = [
        {"kind": kind, "item": "A1", "location": "Main", "quantity": 1, "occurred_at": days_ago(n)}
        for kind, n in receipts + issues
    ]
    too_early = {**lines[0], "kind": "issue", "occurred_at": days_ago(400)}

    answer = await client.post(
        "/api/inventory/movements/bulk",
        json={"mode": "each", "lines": [*lines, too_early]},
        headers=caller.headers(),
    )

    body = answer.json()
    assert (body["applied"], body["refused"]) == (len(lines), 1), body["results"][-1]
    assert body["results"][-1]["code"] == "insufficient_stock"
    await assert_verified(client, caller)


async def test_late_and_present_movements_at_once_leave_no_instant_below_zero(
    client, caller, move, stock
):
    await move("receipt", 30, occurred_at=days_ago(10))

    answers = await asyncio.gather(
        *(move("issue", 1, occurred_at=days_ago(1 + n % 9)) for n in range(40)),
        *(move("issue", 1) for _ in range(20)),
        *(move("receipt", 1) for _ in range(10)),
    )

    assert {answer.status_code for answer in answers} <= {201, 409}
    taken = sum(1 for a in answers if a.status_code == 201 and a.json()["change"] == "-1")
    assert await stock() == str(40 - taken)
    await assert_verified(client, caller)


async def test_what_was_known_then_is_the_same_for_ever(move, stock):
    first = await move("receipt", 10, occurred_at=days_ago(3))
    known_at = first.json()["recorded_at"]
    await move("issue", 4, occurred_at=days_ago(2))

    assert await stock(known_at=known_at) == "10"
    assert await stock(as_of=days_ago(1), known_at=known_at) == "10"
    assert await stock(as_of=days_ago(1)) == "6"
    assert await stock(as_of=days_ago(2.5)) == "10"


async def test_what_will_be_known_is_not_told(client, caller, item):
    answer = await client.get(
        f"/api/inventory/{item['id']}/stock",
        params={"known_at": (utc_now() + timedelta(hours=1)).isoformat()},
        headers=caller.headers(),
    )

    assert_problem(answer, KnownInFuture)


async def test_a_question_waits_for_what_is_being_recorded(databases, caller, move, stock):
    """An open transaction has begun to record before the time asked about, and is seen then."""
    writer = await asyncpg.connect(databases.dsn("inventory_app"))
    transaction = writer.transaction()
    await transaction.start()
    await writer.execute("SELECT pg_current_xact_id()")
    known_at = (await writer.fetchval("SELECT clock_timestamp()")).isoformat()

    asked = asyncio.create_task(stock(known_at=known_at))
    done, _ = await asyncio.wait({asked}, timeout=0.3)
    assert not done
    await transaction.rollback()

    assert await asked == "0"
    await writer.close()


async def test_verify_names_a_past_that_cannot_have_been(client, caller, databases, move, item):
    await move("receipt", 5, occurred_at=days_ago(3))
    await move("issue", 5, occurred_at=days_ago(2))
    owner = await asyncpg.connect(databases.superuser_dsn)
    earlier = datetime.now(UTC) - timedelta(days=4)
    await owner.execute(
        "UPDATE inventory.movements SET occurred_at = $1 WHERE tenant_id = $2 AND kind = 'issue'",
        *(earlier, caller.tenant_id),
    )
    await owner.close()

    answer = await client.get("/api/inventory/verify", headers=caller.headers())

    found = {difference["kind"]: difference for difference in answer.json()["differences"]}
    assert {"past", "entry_differs", "level_time"} == set(found)
    assert (found["past"]["item_id"], found["past"]["found"]) == (item["id"], "-5")
    assert moment(found["past"]["occurred_at"]) == earlier


async def test_movements_are_listed_by_when_they_happened(client, caller, move):
    for days in (5, 3, 1):
        await move("receipt", days, occurred_at=days_ago(days))

    async def listed(**when: str) -> list[str]:
        answer = await client.get("/api/inventory/movements", params=when, headers=caller.headers())
        assert answer.status_code == 200, answer.text
        return [movement["quantity"] for movement in answer.json()["items"]]

    assert await listed(**{"from": days_ago(4)}) == ["1", "3"]
    assert await listed(to=days_ago(2)) == ["3", "5"]
    assert await listed(**{"from": days_ago(4), "to": days_ago(2)}) == ["3"]
    assert await listed(kind="issue") == []


async def test_verify_names_entries_that_cannot_even_be_read(client, caller, databases, move):
    await move("receipt", 5)
    owner = await asyncpg.connect(databases.superuser_dsn)
    for change in (
        '{"occurred_at": "-infinity"}',
        '{"quantity": "many"}',
        '{"movement_id": null, "item_id": [{}]}',
    ):
        await owner.execute(
            "INSERT INTO inventory.journal (id, tenant_id, actor, request_id, type, subject, data)"
            " SELECT gen_random_uuid(), tenant_id, actor, request_id, type, subject,"
            " (data::jsonb || $2::jsonb)::json FROM inventory.journal"
            " WHERE tenant_id = $1 AND type = 'inventory.stock-moved.v1' ORDER BY seq LIMIT 1",
            *(caller.tenant_id, change),
        )
    await owner.close()

    answer = await client.get("/api/inventory/verify", headers=caller.headers())

    assert (answer.status_code, answer.json()["ok"]) == (200, False), answer.text
    kinds = [difference["kind"] for difference in answer.json()["differences"]]
    assert kinds == ["entry_unreadable"] * 3


async def test_a_count_of_what_cannot_have_been_is_told_so(client, caller, move):
    await move("receipt", 10, occurred_at=days_ago(3))
    await move("issue", 4, occurred_at=days_ago(1))

    refused = await move("count_correction", 3, occurred_at=days_ago(2))

    assert_problem(refused, CountTooLow, requested="3", least="4")
