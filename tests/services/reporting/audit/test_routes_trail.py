"""The audit trail that people read, changed by the database's owner or by reporting itself."""

from datetime import timedelta

import asyncpg
import pytest

pytestmark = [pytest.mark.stack, pytest.mark.asvs("F06")]

URL = "/api/audit/verify"


@pytest.fixture
async def trail(post, follow, superuser, caller, services, inventory, everything):
    """A tenant's history in inventory, copied to its end; gives the copies in order."""
    services.apps |= {"auth": inventory, "forecasting": inventory}
    await post("/api/locations", name="Main", type="warehouse")
    for code in ("A", "B", "C"):
        await post("/api/inventory/add-item", code=code, name=code)
    await follow()
    return await superuser.fetch(
        "SELECT seq, id FROM reporting.audit_entries WHERE tenant_id = $1 ORDER BY seq",
        caller.tenant_id,
    )


@pytest.fixture
async def everything(superuser):
    """The trail without what other tests did to it, and put back as it was."""
    await superuser.execute(
        """CREATE TEMP TABLE kept_copies AS TABLE reporting.audit_entries;
           CREATE TEMP TABLE kept_journal AS TABLE inventory.journal;
           DELETE FROM inventory.journal j WHERE EXISTS (
               SELECT FROM reporting.audit_entries a
               WHERE a.service = 'inventory' AND a.seq = j.seq
                 AND a.data::jsonb::text <> j.data::jsonb::text)"""
    )
    await superuser.execute("TRUNCATE reporting.audit_entries")
    await superuser.execute(
        """INSERT INTO reporting.audit_entries (tenant_id, recorded_at, service, seq, id, actor,
               request_id, type, subject, data)
           SELECT tenant_id, recorded_at, 'inventory', seq, id, actor, request_id, type, subject,
               data
           FROM inventory.journal"""
    )
    yield
    await superuser.execute(
        """TRUNCATE reporting.audit_entries, inventory.journal;
           INSERT INTO reporting.audit_entries TABLE kept_copies;
           INSERT INTO inventory.journal TABLE kept_journal;
           DROP TABLE kept_copies; DROP TABLE kept_journal"""
    )


@pytest.fixture
def copy_of_inventory(get):
    async def ask():
        return (await get(URL))["trail"]["inventory"]

    return ask


async def test_a_true_copy_verifies(trail, copy_of_inventory, superuser):
    found = await copy_of_inventory()

    assert (found["status"], found["first_difference"]) == ("verified", None)
    assert found["entries"] == await superuser.fetchval("SELECT count(*) FROM inventory.journal")


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'user:somebody-else'",
        "request_id = ''",
        "type = 'inventory.item-saved.v2'",
        "subject = 'item:other'",
        "id = gen_random_uuid()",
        "recorded_at = recorded_at + interval '1 microsecond'",
        "tenant_id = gen_random_uuid()",
        """data = '{"code": "Z"}'""",
        "actor = actor || request_id, request_id = ''",
    ],
)
async def test_a_changed_copy_is_named(trail, copy_of_inventory, superuser, change):
    row = await superuser.fetchrow(
        f"UPDATE reporting.audit_entries SET {change} WHERE seq = $1 RETURNING seq, id",  # noqa: S608 - constants.
        trail[2]["seq"],
    )

    found = await copy_of_inventory()

    assert found["status"] == "broken"
    assert found["first_difference"] == {
        "kind": "changed",
        "seq": row["seq"],
        "entry_id": str(row["id"]),
    }


async def test_json_written_in_another_way_says_the_same(trail, copy_of_inventory, superuser):
    await superuser.execute(
        "UPDATE reporting.audit_entries SET data = data::jsonb::json WHERE seq = $1",
        trail[0]["seq"],
    )

    assert (await copy_of_inventory())["status"] == "verified"


async def test_a_removed_copy_is_named(trail, copy_of_inventory, superuser):
    await superuser.execute("DELETE FROM reporting.audit_entries WHERE seq = $1", trail[1]["seq"])

    found = await copy_of_inventory()

    assert found["first_difference"] == {
        "kind": "removed",
        "seq": trail[1]["seq"],
        "entry_id": None,
    }


INVENT = """
    INSERT INTO reporting.audit_entries (tenant_id, recorded_at, service, seq, id, actor,
        request_id, type, subject, data)
    SELECT tenant_id, recorded_at + $2::interval, service, coalesce($3, seq), gen_random_uuid(),
        'user:nobody', request_id, type, subject, data
    FROM reporting.audit_entries WHERE seq = $1 AND service = 'inventory' RETURNING id"""


@pytest.mark.parametrize("number", [None, 10**12, -5])
async def test_a_copy_invented_by_reporting_itself_is_named(
    trail, copy_of_inventory, superuser, databases, caller, number
):
    """Its role may add rows: beside an entry under its number, or under one that nobody gave."""
    reporting = await asyncpg.connect(databases.dsn("reporting_app"))
    await reporting.execute("SELECT set_config('app.tenant', $1, false)", str(caller.tenant_id))
    invented = await reporting.fetchval(INVENT, trail[1]["seq"], timedelta(seconds=1), number)
    await reporting.close()

    found = await copy_of_inventory()

    assert found["first_difference"] == {
        "kind": "inserted",
        "seq": number or trail[1]["seq"],
        "entry_id": str(invented),
    }


async def test_the_trail_is_left_out_where_only_what_is_new_is_verified(trail, get):
    found = await get(URL, full="false")

    assert {copy["status"] for copy in found["trail"].values()} == {"skipped"}
