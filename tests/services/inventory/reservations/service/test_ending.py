"""What the worker gives back, for what lists show."""

import pytest

from services.inventory.reservations import service
from shared.db import Stamp

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
async def stock(make_location, make_item, move):
    await make_location("Main")
    await make_item("A1")
    await move("receipt", 10)


async def test_the_due_are_found_in_all_tenants_and_given_back(
    client, caller, reserve, let_expire, look_up
):
    database = client._transport.app.state.resources.database
    for quantity in (2, 3):
        due = await reserve(quantity)
    await reserve(1)
    await let_expire(due["id"])
    assert (await look_up())["reserved"] == "3"  # Whether it was given back or not.

    async with database.transaction(Stamp(None, "worker")) as session:
        tenants = await service.list_due_tenants(session)
    async with database.transaction(Stamp(caller.tenant_id, "worker")) as session:
        more = await service.expire_due(session)

    assert caller.tenant_id in tenants
    assert not more
    assert (await look_up())["reserved"] == "3"
    async with database.transaction(Stamp(None, "worker")) as session:
        assert caller.tenant_id not in await service.list_due_tenants(session)
