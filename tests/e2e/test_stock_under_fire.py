"""Stock through the gateway: nothing lost, nothing twice, nothing below zero; also when killed."""

import asyncio
from collections import Counter
from contextlib import suppress
from uuid import uuid4

import httpx
import pytest

from tests.support.waiting import eventually, pause

pytestmark = [pytest.mark.stack, pytest.mark.slow]


UNAVAILABLE = {502, 503, 504}  # What a client repeats: a process is away, and comes back.


async def read(client, tenant, path):
    """Read until there is an answer, as a client does."""

    async def answered():
        with suppress(httpx.TransportError):
            answer = await client.get(path, headers=tenant)
            return answer if answer.status_code not in UNAVAILABLE else None

    answer = await eventually(answered)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def on_hand(client, tenant):
    return (await read(client, tenant, "/api/inventory/lookup/A1"))["on_hand"]


async def assert_verified(client, tenant):
    found = await read(client, tenant, "/api/inventory/verify")
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

    async def answered():
        with suppress(httpx.TransportError):
            answer = await move(kind, 1, key)
            decided = answer.status_code == 201 or answer.json()["code"] == "insufficient_stock"
            return answer if decided else None

    return await eventually(answered)


async def test_killed_in_the_middle_nothing_is_lost_or_done_twice(stack, client, tenant, move):
    await move("receipt", 10)

    async def killer():
        for _ in range(3):
            await pause(0.25)  # In the middle of what is being sent.
            await stack.kill_and_wait("inventory")

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


async def test_a_killed_follower_goes_on_where_it_was(stack, client, tenant, move):
    sending = asyncio.gather(*(move("receipt", 1) for _ in range(150)))
    for _ in range(2):
        await stack.kill_and_wait("reporting-worker")
    assert Counter(answer.status_code for answer in await sending) == {201: 150}

    async def value_is_right():
        rows = (await read(client, tenant, "/api/reports/inventory-value?by=item"))["items"]
        return bool(rows) and (rows[0]["quantity"], rows[0]["value"]) == ("150", "300")

    await eventually(value_is_right)
    audit = await read(client, tenant, "/api/audit?type=inventory.stock-moved.v1&limit=200")
    assert len(audit["items"]) == 150


async def test_without_valkey_the_system_goes_on(stack, client, tenant, move):
    await move("receipt", 1)
    stack.kill("valkey")

    assert (await move("receipt", 1)).status_code == 201
    assert await on_hand(client, tenant) == "2"
    assert (await client.get("/api/dashboard/stats", headers=tenant)).status_code == 200

    async def healthy():
        return (await client.get("/health")).json()["status"] == "ok"

    await eventually(healthy)
    await assert_verified(client, tenant)
