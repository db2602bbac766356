"""A close and late movements take turns: once it is answered, none is dated in the period."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from services.inventory.periods.errors import InClosedPeriod, PeriodCovered
from shared.clock import utc_now
from tests.support.services import assert_problem
from tests.support.waiting import until_blocked_by

pytestmark = pytest.mark.stack

PATH = "/api/inventory/periods"
TRIES = 6
CROWD = 30


@pytest.fixture(autouse=True)
async def stock(make_location, make_item, move):
    await make_location("Main")
    for code in ("A1", "B1"):
        await make_item(code)
        long_ago = (utc_now() - timedelta(days=60)).isoformat()
        await move("receipt", 100_000, item=code, occurred_at=long_ago)


@pytest.fixture
def close(client, caller):
    async def post(day):
        body = {"last_day": str(day)}
        return await client.post(PATH, json=body, headers=caller.headers())

    return post


@pytest.fixture
async def rows_until(databases, caller):
    connection = await asyncpg.connect(databases.superuser_dsn)

    async def count(day):
        return await connection.fetchval(
            "SELECT count(*) FROM inventory.movements"
            " WHERE tenant_id = $1 AND (occurred_at AT TIME ZONE 'UTC')::date <= $2",
            caller.tenant_id,
            day,
        )

    yield count
    await connection.close()


async def test_nothing_is_dated_in_the_period_after_the_answer(
    client, caller, move, close, rows_until
):
    async def close_and_count(day):
        closed = await close(day)
        assert closed.status_code == 201, closed.text
        return await rows_until(day)

    for number in range(TRIES):
        day = utc_now().date() - timedelta(days=20 - number)
        inside, outside = f"{day}T12:00:00Z", f"{day + timedelta(days=1)}T12:00:00Z"

        def bulk(*instants):
            line = {"kind": "issue", "item": "B1", "location": "Main", "quantity": 1}
            lines = [line | {"occurred_at": at} for at in instants] * 50
            body = {"mode": "each", "lines": lines}
            path = "/api/inventory/movements/bulk"
            return client.post(path, json=body, headers=caller.headers())

        crowd = [
            move("issue", 1, item=("A1", "B1")[n % 2], occurred_at=(inside, outside)[n % 3 == 0])
            for n in range(CROWD)
        ]
        crowd += [bulk(inside, outside), bulk(outside, inside)]
        place = number * 6 % len(crowd)
        crowd.insert(place, close_and_count(day))

        answers = await asyncio.gather(*crowd)

        recorded = answers.pop(place)
        assert await rows_until(day) == recorded
        assert {answer.status_code for answer in answers} <= {201, InClosedPeriod.status}
        assert_problem(await move("issue", 1, occurred_at=inside), InClosedPeriod)
    verified = await client.get("/api/inventory/verify", headers=caller.headers())
    assert verified.json()["ok"], verified.text


async def test_a_close_waits_for_a_late_movement_under_way(databases, other, close, move, caller):
    """The movement waits for its level, the close for the movement."""
    day = utc_now().date() - timedelta(days=20)
    async with other.transaction():
        await other.execute(
            "SELECT inventory.wait_lock_shared($1 || ' periods')", str(caller.tenant_id)
        )
        closed = asyncio.create_task(close(day))
        await until_blocked_by(databases, other)
        assert not closed.done()

    assert (await closed).status_code == 201
    assert_problem(await move("issue", 1, occurred_at=f"{day}T12:00:00Z"), InClosedPeriod)


async def test_of_two_closes_at_once_one_is_made(close):
    for number in range(TRIES):
        day = utc_now().date() - timedelta(days=20 - number)

        answers = await asyncio.gather(*(close(day) for _ in range(4)))

        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
        for answer in answers:
            if answer.status_code != 201:
                assert_problem(answer, PeriodCovered)
