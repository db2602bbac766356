"""Snapshots as the worker takes them, of movements as people record them; and what verify names."""

import pytest

from services.inventory.resources import open_service
from services.inventory.snapshot_taker import SnapshotTaker
from shared.db import Stamp
from tests.support.services import Caller

pytestmark = pytest.mark.stack
LINES, SIZE = 60, 25


@pytest.fixture
async def resources(inventory_settings):
    opened = open_service(inventory_settings)
    yield opened
    await opened.close()


@pytest.fixture
def taker(resources):
    return SnapshotTaker(
        lambda tenant_id: resources.database.transaction(Stamp(tenant_id, "worker")), size=SIZE
    )


@pytest.fixture
async def item(make_location, make_item, client, caller):
    await make_location("Main")
    made = await make_item("A1")
    line = {"kind": "receipt", "item": "A1", "location": "Main", "quantity": 2}
    for _ in range(LINES // 20):
        body = {"lines": [line] * 20}
        answer = await client.post(
            "/api/inventory/movements/bulk", json=body, headers=caller.headers()
        )
        assert answer.status_code == 201, answer.text
    return made


@pytest.fixture
def count(superuser, caller):
    async def ask():
        return await superuser.fetchval(
            "SELECT count(*) FROM inventory.snapshots WHERE tenant_id = $1 AND made_at IS NOT NULL",
            caller.tenant_id,
        )

    return ask


@pytest.fixture
def differences(client, caller):
    async def ask():
        answer = await client.get("/api/inventory/verify", headers=caller.headers())
        return [one["kind"] for one in answer.json()["differences"]]

    return ask


async def test_the_worker_sums_what_was_settled_at_its_last_look(taker, item, count, differences):
    await taker.take()
    assert await count() == 0

    await taker.take()

    assert await count() == 2  # The rows of a call have one time: they are in one snapshot.
    assert await differences() == []


async def test_snapshots_are_made_anew(taker, item, caller, count, differences, superuser):
    await taker.retake(caller.tenant_id)
    await superuser.execute(
        "UPDATE inventory.snapshot_sums SET quantity = 1 WHERE tenant_id = $1", caller.tenant_id
    )
    assert set(await differences()) == {"snapshot"}

    await taker.retake(caller.tenant_id)

    assert await count() == 2
    assert await differences() == []


@pytest.mark.asvs("F06")
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE inventory.snapshot_sums SET quantity = quantity + 1 WHERE grain = 'month'",
        "DELETE FROM inventory.snapshot_sums WHERE grain = 'month'",
        "UPDATE inventory.snapshot_sums SET since = since - 40",
        "UPDATE inventory.snapshot_sums SET number = number + 1",
        "UPDATE inventory.snapshot_sums SET location_id = gen_random_uuid()",
        "UPDATE inventory.snapshots SET after_seq = after_seq + 1000000",
        "UPDATE inventory.snapshots SET upto_seq = 0",
        "UPDATE inventory.snapshots SET known_at = known_at - interval '1 hour'",
        "DELETE FROM inventory.snapshots WHERE number = 1",
    ],
)
async def test_what_was_done_to_snapshots_is_named(
    taker, item, caller, differences, superuser, change
):
    await taker.retake(caller.tenant_id)
    where = " AND" if "WHERE" in change else " WHERE"

    await superuser.execute(f"{change}{where} tenant_id = '{caller.tenant_id}'")

    assert set(await differences()) == {"snapshot"}


async def test_a_tenants_snapshots_are_its_own(taker, item, caller, resources):
    await taker.retake(caller.tenant_id)
    stranger = Caller()

    async with resources.database.transaction(Stamp(stranger.tenant_id, "test")) as session:
        connection = await session.connection()
        for table in ("snapshots", "snapshot_sums"):
            found = await connection.exec_driver_sql(f"SELECT count(*) FROM {table}")  # noqa: S608 - ours.
            assert found.scalar_one() == 0
