"""What the worker does by itself, of all tenants."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import pytest
from prometheus_client import REGISTRY
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.items import service as items
from services.inventory.jobs import expire_reservations
from services.inventory.reservations import service as reservations
from shared.db import Stamp
from tests.support.services import Caller

pytestmark = pytest.mark.stack


@pytest.fixture
def open_for(client):
    database = client._transport.app.state.resources.database

    def opened(tenant_id):
        return database.transaction(Stamp(tenant_id, "worker"))

    return opened


@pytest.fixture
async def tenants(client, databases):
    """Two tenants, each with something held that has expired."""
    owner = await asyncpg.connect(databases.superuser_dsn)
    callers = Caller(), Caller()
    for caller in callers:
        for path, body in (
            ("locations", {"name": "Main", "type": "warehouse"}),
            ("inventory", {"code": "A1", "name": "A1"}),
            ("inventory/movements",
             {"kind": "receipt", "item": "A1", "location": "Main", "quantity": 9}),
            ("inventory/reservations",
             {"lines": [{"item": "A1", "location": "Main", "quantity": 4}]}),
        ):  # fmt: skip
            made = await client.post(f"/api/{path}", json=body, headers=caller.headers())
            assert made.status_code == 201, made.text
        for table, column in (("reservation_holds", "expires_at"), ("levels", "holds_until")):
            await owner.execute(
                f"UPDATE inventory.{table} SET {column} = now() WHERE tenant_id = $1",  # noqa: S608 - our own names.
                caller.tenant_id,
            )
    yield callers
    await owner.close()


async def reserved(databases, caller):
    """What the levels still count; readers see nothing of what is over."""
    owner = await asyncpg.connect(databases.superuser_dsn)
    found = await owner.fetchval(
        "SELECT sum(reserved) FROM inventory.levels WHERE tenant_id = $1", caller.tenant_id
    )
    await owner.close()
    return found


async def test_a_tenant_that_fails_keeps_no_other_waiting(
    databases, tenants, open_for, monkeypatch
):
    """Whichever of the two comes first."""
    broken, sound = tenants
    opened: list[UUID] = []

    @asynccontextmanager
    async def failing(tenant_id: UUID | None) -> AsyncIterator[AsyncSession]:
        async with open_for(tenant_id) as session:
            if tenant_id is not None:
                opened.append(tenant_id)
            if tenant_id == broken.tenant_id:
                raise RuntimeError
            yield session

    async def in_this_order(session):
        return [each.tenant_id for each in tenants]

    with monkeypatch.context() as patched:
        patched.setattr(reservations, "list_due_tenants", in_this_order)
        await expire_reservations(failing)

    assert opened == [broken.tenant_id, sound.tenant_id]
    assert await reserved(databases, sound) == 0
    assert await reserved(databases, broken) == 4
    await expire_reservations(open_for)
    assert await reserved(databases, broken) == 0


async def test_who_has_more_comes_again_after_the_others(tenants, monkeypatch):
    opened: list[UUID] = []

    @asynccontextmanager
    async def opening(tenant_id: UUID | None) -> AsyncIterator[UUID | None]:
        opened.append(tenant_id)
        yield tenant_id

    async def in_this_order(_session):
        return [each.tenant_id for each in tenants]

    async def expire(_session):
        return len(opened) <= 3

    monkeypatch.setattr(reservations, "list_due_tenants", in_this_order)
    monkeypatch.setattr(reservations, "expire_due", expire)

    await expire_reservations(opening)

    first, second = (each.tenant_id for each in tenants)
    assert opened == [None, first, second, first, second]


async def test_items_are_counted_over_all_tenants_without_those_that_are_retired(
    client, open_for, databases
):
    owner = await asyncpg.connect(databases.superuser_dsn)
    for caller in (Caller(), Caller()):
        for code in ("A1", "A2"):
            body = {"code": code, "name": code}
            await client.post("/api/inventory", json=body, headers=caller.headers())
    await owner.execute("UPDATE inventory.items SET active = false WHERE code = 'A2'")
    expected = await owner.fetchval("SELECT count(*) FROM inventory.items WHERE active")
    await owner.close()

    async with open_for(None) as session:
        await items.measure(session)

    assert REGISTRY.get_sample_value("inventory_items_total") == expected >= 2
