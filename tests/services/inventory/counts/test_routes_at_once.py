"""Counters, movements and posters at the same time."""

import asyncio
import random
from uuid import uuid4

import pytest

from tests.support.services import Caller

pytestmark = pytest.mark.stack

ITEMS = [f"I{n}" for n in range(12)]


@pytest.fixture(autouse=True)
async def stock(make_location, make_item, move):
    await make_location("Main")
    for item in ITEMS:
        await make_item(item)
        assert (await move("receipt", 50, item)).status_code == 201


async def test_twenty_post_and_one_does(client, caller, open_count, enter, send):
    count = await open_count()
    await enter(count, lines=[{"item": i, "location": "Main", "quantity": "40"} for i in ITEMS])

    answers = await asyncio.gather(
        *(send("POST", f"/{count['id']}/post", {}, Idempotency_Key=f"k{n}") for n in range(20))
    )

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 19
    moved = await client.get(
        "/api/inventory/movements",
        params={"reference": count["id"], "limit": 200},
        headers=caller.headers(),
    )
    assert len(moved.json()["items"]) == len(ITEMS)
    verified = await client.get("/api/inventory/verify", headers=caller.headers())
    assert verified.json()["ok"], verified.text


async def test_a_post_sent_again_under_its_key_gives_the_same_answer(open_count, send):
    count = await open_count()
    path = f"/{count['id']}/post"

    first, again = [
        await send("POST", path, {"uncounted": "keep"}, Idempotency_Key="once") for _ in range(2)
    ]

    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()


async def test_counters_and_movements_meet_and_stock_is_what_was_counted_and_came_since(
    client, caller, open_count, send, move, on_hand
):
    """Each item is counted as it lies, by somebody, while others move it: nothing differs."""
    chance = random.Random(5)  # noqa: S311 - the same order each time.
    count = await open_count()
    counters = [
        Caller(caller.tenant_id, scopes={"inventory:read", "stock:write"}) for _ in range(4)
    ]
    expected = dict.fromkeys(ITEMS, 50)

    async def work(item, by):
        for kind in chance.sample(["issue", "receipt", "count", "issue", "receipt"], 5):
            if kind == "count":
                line = {"item": item, "location": "Main", "quantity": str(expected[item] - 1),
                        "id": str(uuid4())}  # fmt: skip
                sent = [
                    await send("PUT", f"/{count['id']}/lines", {"lines": [line]}, by)
                    for _ in range(2)
                ]
                assert [each.json()["entered"] for each in sent] == [1, 0]
            else:
                quantity = chance.randint(1, 5)
                assert (await move(kind, quantity, item)).status_code == 201
                expected[item] += quantity if kind == "receipt" else -quantity

    await asyncio.gather(*(work(item, counters[n % 4]) for n, item in enumerate(ITEMS)))
    seen = (await send("GET", f"/{count['id']}")).json()
    posted = await send("POST", f"/{count['id']}/post", {})

    assert (seen["counted"], seen["differing"], seen["disputed"]) == (12, 12, 0)
    assert posted.status_code == 200, posted.text
    for item in ITEMS:
        assert await on_hand(item) == str(expected[item] - 1)  # Each was one short.
    verified = await client.get("/api/inventory/verify", headers=caller.headers())
    assert verified.json()["ok"], verified.text


async def test_what_is_entered_while_it_is_posted_is_posted_or_refused(
    open_count, enter, send, lines_of
):
    count = await open_count()
    acts = [enter(count, str(n), item=ITEMS[n]) for n in range(10)]
    acts.insert(5, send("POST", f"/{count['id']}/post", {"uncounted": "keep"}))

    answers = await asyncio.gather(*acts)

    lines = {line["item"]: line for line in await lines_of(count)}
    assert answers[5].status_code == 200, answers[5].text
    for answer, item in zip(answers[:5] + answers[6:], ITEMS, strict=False):
        assert answer.status_code in {200, 409}
        is_posted = answer.status_code == 200
        assert (lines[item]["result"], bool(lines[item]["entries"])) == (
            "posted" if is_posted else "kept", is_posted,
        )  # fmt: skip


async def test_ten_thousand_lines_are_entered_and_posted(
    client, caller, make_location, open_count, send
):
    """In one call each; how fast, `python -m benchmarks.counts` tells."""
    await make_location("Large")
    items = [{"item": i, "location": "Large", "kind": "receipt", "quantity": 5} for i in ITEMS]
    await client.post(
        "/api/inventory/movements/bulk", json={"lines": items}, headers=caller.headers()
    )
    count = await open_count(locations=["Large"])
    lines = [
        {"item": ITEMS[n % 12], "location": "Large", "quantity": "1", "add": True,
         "id": str(uuid4())} for n in range(10_000)
    ]  # fmt: skip
    entered = await send("PUT", f"/{count['id']}/lines", {"lines": lines})
    again = await send("PUT", f"/{count['id']}/lines", {"lines": lines})
    posted = await send("POST", f"/{count['id']}/post", {})

    assert entered.json()["entered"] == 10_000, entered.text
    assert again.json()["unchanged"] == 10_000
    assert posted.json()["differing"] == 12
