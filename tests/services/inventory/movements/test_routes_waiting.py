"""Who waits for what another one holds is answered once it is free, or told to come again."""

import asyncio

import pytest

from shared.errors import StillLocked
from tests.support.services import assert_problem
from tests.support.waiting import eventually, pause

pytestmark = [pytest.mark.stack, pytest.mark.slow]
MOVEMENTS = "/api/inventory/movements"
HELD_S = 6.5  # Longer than a transaction waits for a lock.
HOLD = "SELECT 1 FROM inventory.levels WHERE tenant_id = $1 FOR UPDATE"


@pytest.fixture
async def stock(make_location, make_item, move):
    await make_location("Main")
    await make_item("A1")
    await move("receipt", 100)


@pytest.fixture
def change(client, caller):
    async def post(kind="issue", *, path="", key="k", **headers):
        body = {"kind": kind, "item": "A1", "location": "Main", "quantity": 1}
        if kind == "write_off":
            body["reason_code"] = "damaged"
        if path == "/bulk":
            body = {"mode": "atomic", "lines": [body]}
        headers = caller.headers(**{"Idempotency-Key": f"{key}-{kind}{path}", **headers})
        return await client.post(f"{MOVEMENTS}{path}", json=body, headers=headers)

    return post


@pytest.mark.usefixtures("stock")
async def test_who_waits_longer_than_a_lock_is_waited_for_gets_his_answer(
    client, caller, change, other
):
    async with other.transaction():
        await other.fetch(HOLD, caller.tenant_id)
        asked = asyncio.gather(change(), change("write_off"), change(path="/bulk"))
        await pause(HELD_S)
    answers = await asked

    assert [answer.status_code for answer in answers] == [201, 201, 201], answers[0].text
    again = await asyncio.gather(change(), change("write_off"), change(path="/bulk"))
    assert [answer.json() for answer in again] == [answer.json() for answer in answers]
    level = (await client.get("/api/inventory/lookup/A1", headers=caller.headers())).json()
    assert level["on_hand"] == "97"


@pytest.mark.parametrize("kind", ["issue", "write_off"])  # In a group of its own, and not.
@pytest.mark.usefixtures("stock")
async def test_who_has_no_time_left_is_told_to_come_again(caller, change, other, kind):
    short = {"X-Request-Timeout": "6.5", "Accept-Language": "fr"}
    async with other.transaction():
        await other.fetch(HOLD, caller.tenant_id)
        answer = await change(kind, **short)

    assert_problem(answer, StillLocked, title="Toujours utilisé")
    assert answer.headers["retry-after"] == "5"

    async def is_done():  # What a group of movements still does is in progress.
        return (await change(kind)).status_code == 201

    await eventually(is_done)
