"""Reservations, movements and expiry at the same time: never more than there is, no deadlock."""

import asyncio
import random

import pytest

pytestmark = pytest.mark.stack

STOCK = 40


@pytest.fixture(autouse=True)
async def stock(make_location, make_item, move):
    await make_location("Main")
    for item in ("A1", "B1"):
        await make_item(item)
        assert (await move("receipt", STOCK, item=item)).status_code == 201


async def test_no_unit_is_promised_twice(client, caller, post, move, look_up):
    """Sixty want two of each of two items, named in either order, of which there are forty."""

    async def want(number):
        names = ["A1", "B1"] if number % 2 else ["B1", "A1"]
        lines = [{"item": name, "location": "Main", "quantity": "2"} for name in names]
        if number % 3 == 0:
            return await move("issue", 2, item=names[0])
        return await post("", {"lines": lines})

    answers = await asyncio.gather(*(want(number) for number in range(60)))

    assert {answer.status_code for answer in answers} == {201, 409}
    for code in ("A1", "B1"):
        found = await look_up(code)
        assert int(found["available"]) >= 0
    assert (
        int((await look_up("A1"))["available"]) < 2 or int((await look_up("B1"))["available"]) < 2
    )
    verified = await client.get("/api/inventory/verify", headers=caller.headers())
    assert verified.json()["ok"], verified.text


async def test_one_reservation_is_committed_or_released_or_expired_never_two(
    client, caller, reserve, post, let_expire, move, look_up
):
    chance = random.Random(7)  # noqa: S311 - the same order each time.
    gone = 0
    for _ in range(12):
        made = await reserve("2")
        acts = [
            post(f"/{made['id']}/commit"), post(f"/{made['id']}/commit"),
            post(f"/{made['id']}/release"), post(f"/{made['id']}/release"),
            let_expire(made["id"]), move("receipt", 1), move("issue", 1),
        ]  # fmt: skip
        chance.shuffle(acts)
        await asyncio.gather(*acts)
        await post(f"/{made['id']}/release")  # What may be left of it.
        path = f"/api/inventory/reservations/{made['id']}"
        [line] = (await client.get(path, headers=caller.headers())).json()["lines"]
        ended = [line["committed"], line["released"], line["expired"]]
        assert sorted(ended) == ["0", "0", "2"]
        gone += int(line["committed"])

    found = await look_up()
    assert (int(found["on_hand"]), found["reserved"]) == (STOCK - gone, "0")
    verified = await client.get("/api/inventory/verify", headers=caller.headers())
    assert verified.json()["ok"], verified.text
