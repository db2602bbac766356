"""Stock through the gateway: nothing lost, nothing twice, nothing below zero; also when killed."""

import asyncio
from collections import Counter
from uuid import uuid4

import httpx
import pytest

pytestmark = [pytest.mark.stack, pytest.mark.slow]


async def on_hand(client, tenant):
    answer = await client.get("/api/inventory/lookup/A1", headers=tenant)
    return answer.json()["on_hand"]


async def assert_verified(client, tenant):
    found = (await client.get("/api/inventory/verify", headers=tenant)).json()
    assert found["ok"], found


async def test_fifty_at_once_take_ten_of_ten(client, tenant, move):
    await move("receipt", 10)

    answers = await asyncio.gather(*(move("issue", 1) for _ in range(50)))

    assert Counter(a.status_code for a in answers) == {201: 10, 409: 40}
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"insufficient_stock"}
    assert await on_hand(client, tenant) == "0"
    await assert_verified(client, tenant)


async def test_four_hundred_receipts_at_once_are_all_there(client, tenant, move):
    answers = await asyncio.gather(*(move("receipt", 1) for _ in range(400)))

    assert Counter(a.status_code for a in answers) == {201: 400}
    assert await on_hand(client, tenant) == "400"
    await assert_verified(client, tenant)


async def insist(move, kind, key):
    """Send one movement until it is answered for good, as a client with a key does."""
    for _ in range(200):
        try:
            answer = await move(kind, 1, key)
        except httpx.TransportError:
            await asyncio.sleep(0.1)
            continue
        if answer.status_code == 201 or answer.json().get("code") == "insufficient_stock":
            return answer
        await asyncio.sleep(0.1)
    raise AssertionError("never answered")


async def test_killed_in_the_middle_nothing_is_lost_or_done_twice(stack, client, tenant, move):
    await move("receipt", 10)

    async def killer():
        for _ in range(3):
            await asyncio.sleep(0.25)
            stack.kill("inventory")
            await asyncio.sleep(2)

    killing = asyncio.create_task(killer())
    issues = [insist(move, "issue", f"i-{uuid4()}") for _ in range(50)]
    taken = await asyncio.gather(*issues)
    assert Counter(a.status_code for a in taken) == {201: 10, 409: 40}

    receipts = [insist(move, "receipt", f"r-{uuid4()}") for _ in range(400)]
    received = await asyncio.gather(*receipts)
    await killing

    assert Counter(a.status_code for a in received) == {201: 400}
    assert len({a.json()["id"] for a in received}) == 400
    assert await on_hand(client, tenant) == "400"
    await assert_verified(client, tenant)


async def test_a_killed_follower_goes_on_where_it_was(stack, client, tenant, move, eventually):
    sending = asyncio.gather(*(move("receipt", 1) for _ in range(150)))
    for _ in range(2):
        stack.kill("reporting-worker")
        await asyncio.sleep(1.0)
    await sending

    async def value_is_right():
        answer = await client.get("/api/reports/inventory-value?by=item", headers=tenant)
        rows = answer.json()["items"]
        return bool(rows) and (rows[0]["quantity"], rows[0]["value"]) == ("150", "300")

    await eventually(value_is_right, timeout_s=30)
    audit = await client.get("/api/audit?type=inventory.stock-moved.v1&limit=200", headers=tenant)
    assert len(audit.json()["items"]) == 150


async def test_without_valkey_the_system_goes_on(stack, client, tenant, move, eventually):
    await move("receipt", 1)
    stack.kill("valkey")

    assert (await move("receipt", 1)).status_code == 201
    assert await on_hand(client, tenant) == "2"
    assert (await client.get("/api/dashboard/stats", headers=tenant)).status_code == 200

    async def healthy():
        return (await client.get("/health")).json()["status"] == "ok"

    await eventually(healthy)
    await assert_verified(client, tenant)
