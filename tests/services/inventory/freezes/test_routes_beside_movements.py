"""A freeze and what it stops take turns: once it is answered, nothing is recorded any more."""

import asyncio

import asyncpg
import pytest

from services.inventory.app import create_app
from services.inventory.freezes.errors import Frozen
from tests.support.services import assert_problem, running
from tests.support.waiting import until_blocked_by

pytestmark = pytest.mark.stack

PATH = "/api/inventory/freezes"
TRIES = 6
CROWD = 40
TARGETS = [
    {"scope": "everything"},
    {"scope": "location", "location": "Main"},
    {"scope": "item", "item": "A1"},
]


@pytest.fixture(autouse=True)
async def stock(make_location, make_item, move):
    await make_location("Main")
    await make_location("Aisle", "zone", parent="Main")
    await make_item("A1")
    await move("receipt", 1000)
    await move("receipt", 1000, location="Aisle")


@pytest.fixture
async def rows(databases, caller):
    """Give the number of ledger rows that there are right now."""
    connection = await asyncpg.connect(databases.superuser_dsn)

    async def count():
        return await connection.fetchval(
            "SELECT count(*) FROM inventory.movements WHERE tenant_id = $1", caller.tenant_id
        )

    yield count
    await connection.close()


@pytest.fixture
def freeze(client, caller):
    async def post(**target):
        body = {"reason": "Stop.", **target}
        return await client.post(PATH, json=body, headers=caller.headers())

    return post


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target["scope"])
async def test_nothing_is_recorded_after_the_answer(client, caller, move, freeze, rows, target):
    async def freeze_and_count():
        made = await freeze(**target)
        assert made.status_code == 201, made.text
        return made.json()["id"], await rows()

    def bulk(number):
        lines = [
            {"kind": "transfer", "item": "A1", "location": place, "to_location": other,
             "quantity": 1}
            for place, other in (("Main", "Aisle"), ("Aisle", "Main")) * 50
        ]  # fmt: skip
        body = {"mode": "atomic", "lines": lines[number % 2 :]}
        return client.post("/api/inventory/movements/bulk", json=body, headers=caller.headers())

    for number in range(TRIES):
        crowd = [move("issue", 1, location=("Main", "Aisle")[n % 2]) for n in range(CROWD)]
        crowd += [bulk(n) for n in range(4)]
        crowd.insert((number * 9) % len(crowd), freeze_and_count())

        answers = await asyncio.gather(*crowd)

        freeze_id, recorded = answers.pop((number * 9) % (len(crowd) - 1))
        assert await rows() == recorded
        assert {answer.status_code for answer in answers} <= {201, 409, Frozen.status}
        assert_problem(await move("issue", 1), Frozen)
        await client.delete(f"{PATH}/{freeze_id}", headers=caller.headers())
    verified = await client.get("/api/inventory/verify", headers=caller.headers())
    assert verified.json()["ok"], verified.text


@pytest.mark.parametrize("target", TARGETS[1:], ids=lambda target: target["scope"])
async def test_a_movement_that_waited_for_a_freeze_is_refused(
    databases, other, client, caller, move, freeze, target
):
    """Queued behind the level's lock when the freeze is asked for, and behind its row after."""
    async with other.transaction():
        await other.execute(
            "SELECT FROM inventory.levels WHERE tenant_id = $1 FOR UPDATE", caller.tenant_id
        )
        before = asyncio.create_task(move("issue", 1))
        await until_blocked_by(databases, other)
        made = asyncio.create_task(freeze(**target))
        after = asyncio.create_task(move("issue", 1, location="Main"))

    answers = await asyncio.gather(before, made, after)

    assert answers[0].status_code == 201
    assert answers[1].status_code == 201
    assert answers[2].status_code in {201, Frozen.status}
    assert_problem(await move("issue", 1), Frozen)


async def test_nothing_is_added_beside_a_freeze_of_everything(client, caller, freeze, databases):
    connection = await asyncpg.connect(databases.superuser_dsn)

    async def counted():
        return await connection.fetchrow(
            "SELECT (SELECT count(*) FROM inventory.items WHERE tenant_id = $1),"
            " (SELECT count(*) FROM inventory.locations WHERE tenant_id = $1)",
            caller.tenant_id,
        )

    async def freeze_and_count():
        made = await freeze(scope="everything")
        assert made.status_code == 201, made.text
        return made.json()["id"], await counted()

    def add(path, **body):
        return client.post(path, json=body, headers=caller.headers())

    for number in range(TRIES):
        crowd = [
            add("/api/inventory", code=f"C{number}-{n}", name="x")
            if n % 2
            else add("/api/locations", name=f"P{number}-{n}", type="zone", parent="Main")
            for n in range(20)
        ]
        crowd.insert(number * 3, freeze_and_count())

        answers = await asyncio.gather(*crowd)

        freeze_id, there = answers.pop(number * 3)
        assert await counted() == there
        assert {answer.status_code for answer in answers} <= {201, Frozen.status}
        await client.delete(f"{PATH}/{freeze_id}", headers=caller.headers())
    await connection.close()


async def test_a_location_added_beside_a_freeze_of_its_parent_is_frozen(
    client, caller, freeze, move
):
    async def add(name):
        body = {"name": name, "type": "bin", "parent": "Aisle"}
        answer = await client.post("/api/locations", json=body, headers=caller.headers())
        assert answer.status_code == 201, answer.text

    for number in range(TRIES):
        names = [f"B{number}-{n}" for n in range(8)]
        crowd = [add(name) for name in names]
        crowd.insert(number, freeze(scope="location", location="Main"))

        made = (await asyncio.gather(*crowd))[number]

        for name in names:
            assert_problem(await move("receipt", 1, location=name), Frozen)
        path = f"{PATH}/{made.json()['id']}"
        assert (await client.delete(path, headers=caller.headers())).status_code == 204
        assert (await move("receipt", 1, location=names[-1])).status_code == 201


@pytest.fixture
async def second(inventory_settings):
    """Another process of the service."""
    async with running(create_app(inventory_settings)) as started:
        yield started


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target["scope"])
async def test_a_freeze_has_its_turn_though_movements_never_stop(
    client, second, caller, freeze, target
):
    line = {"kind": "issue", "item": "A1", "location": "Main", "quantity": "0.0001"}
    is_over = asyncio.Event()

    async def go_on(process):
        while not is_over.is_set():
            path = "/api/inventory/movements"
            answer = await process.post(path, json=line, headers=caller.headers())
            assert answer.status_code in {201, Frozen.status}

    crowd = [asyncio.create_task(go_on(process)) for process in (client, second) * 6]
    answers = []
    for _ in range(3):
        answers.append(await freeze(**target))
        path = f"{PATH}/{answers[-1].json().get('id')}"
        await client.delete(path, headers=caller.headers())
    is_over.set()
    await asyncio.gather(*crowd)

    assert [answer.status_code for answer in answers] == [201] * 3
