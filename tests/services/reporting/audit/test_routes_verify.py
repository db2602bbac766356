import asyncio

import pytest

from shared.journal import checkpoint
from tests.services.reporting.conftest import InProcessServices
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.stack

URL = "/api/audit/verify"


@pytest.fixture
async def sealed(post, inventory_app, superuser, caller):
    """A tenant's history in inventory, sealed to its end; gives its entries in order."""
    await post("/api/locations", name="Main", type="warehouse")
    for code in ("A", "B", "C"):
        await post("/api/inventory/add-item", code=code, name=code)
    own = inventory_app.state.resources
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await checkpoint.seal(own.database, own.signing_key)
            if await superuser.fetchval(_IS_SEALED):
                break
    return await superuser.fetch(
        "SELECT seq, id FROM inventory.journal WHERE tenant_id = $1 ORDER BY xid, seq",
        caller.tenant_id,
    )


@pytest.fixture
async def everyone(services, inventory, resources, started):
    """Auth and forecasting answer as inventory does: what is asked here is the combination."""
    services.apps |= {"auth": inventory, "forecasting": inventory, "reporting": started}


@pytest.fixture
async def restored(superuser):
    """Put inventory's journal back as it was, whatever the test did to it."""
    await superuser.execute("CREATE TEMP TABLE kept AS TABLE inventory.journal")
    yield
    await superuser.execute("TRUNCATE inventory.journal")
    await superuser.execute("INSERT INTO inventory.journal TABLE kept")
    await superuser.execute("DROP TABLE kept")


async def test_whole_journals_verify(sealed, everyone, get):
    found = await get(URL)

    assert found["ok"], found
    assert set(found["services"]) == {"auth", "inventory", "forecasting", "reporting"}
    told = found["services"]["inventory"]
    assert (told["status"], told["first_difference"]) == ("verified", None)
    assert told["entries"] >= len(sealed)
    assert len(told["head"]) == 64


TAMPERING = {
    "changed": """UPDATE inventory.journal SET actor = 'user:nobody' WHERE seq = $1
                  RETURNING seq, id""",
    "removed": "DELETE FROM inventory.journal WHERE seq = $1 RETURNING seq, NULL::uuid AS id",
    "inserted": """
        INSERT INTO inventory.journal
        SELECT nextval('inventory.journal_seq'), (xid::text::bigint - 1)::text::xid8,
               gen_random_uuid(), tenant_id, recorded_at, actor, request_id, type, subject, data
        FROM inventory.journal WHERE seq = $1 RETURNING seq, id""",
}


@pytest.mark.parametrize("kind", TAMPERING)
async def test_tampering_with_a_service_is_named(sealed, everyone, restored, get, superuser, kind):
    row = await superuser.fetchrow(TAMPERING[kind], sealed[2]["seq"])

    found = await get(URL)

    assert not found["ok"]
    told = found["services"]["inventory"]
    assert told["status"] == "broken"
    difference = told["first_difference"]
    assert (difference["kind"], difference["seq"]) == (kind, row["seq"])
    assert difference["entry_id"] == (str(row["id"]) if row["id"] else None)
    assert found["services"]["reporting"]["status"] == "verified"


async def test_a_service_that_does_not_answer_is_not_verified(sealed, get, resources):
    found = await get(URL)

    assert not found["ok"]
    assert found["services"]["auth"] == {
        "status": "unreachable",
        "checkpoints": None,
        "entries": None,
        "head": None,
        "first_difference": None,
        "note": None,
        "archives": [],
    }
    assert found["services"]["inventory"]["status"] == "verified"


async def test_with_everyone_away_its_own_journal_is_still_proven(get, client, reporting_app):
    reporting_app.state.resources.client = InProcessServices()

    found = await get(URL)

    assert {name: told["status"] for name, told in found["services"].items()} == {
        "auth": "unreachable",
        "inventory": "unreachable",
        "forecasting": "unreachable",
        "reporting": "verified",
    }


_IS_SEALED = """
    SELECT (SELECT sum(size) FROM inventory.checkpoints)
         = (SELECT count(*) FROM inventory.journal)"""
