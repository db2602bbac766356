"""A journal of which months are in archives, as those see it who follow, copy and prove it."""

import asyncio

import pytest

from services.reporting.audit.service.copies import verify_copies
from shared.clock import utc_now
from shared.journal import checkpoint
from shared.journal.apply import Follower
from shared.journal.follow import is_whole
from tests.support.archives import clear_years, fill_years, retention
from tests.support.services import service_headers
from tests.support.waiting import PATIENCE_S, pause

pytestmark = pytest.mark.stack

TABLES = (
    "reporting.journal, reporting.checkpoints, reporting.verifications, "
    "reporting.journal_archives, reporting.feed_readers, reporting.retention_runs"
)


@pytest.fixture
async def archived(resources, superuser, tmp_path):
    """Three months of 2018 in archives; gives the cursor after them."""
    await superuser.execute(f"TRUNCATE {TABLES}, reporting.audit_entries")
    await fill_years(superuser)
    async with asyncio.timeout(PATIENCE_S):
        while await checkpoint.seal(resources.database, resources.signing_key) == 0:
            await pause(0.05)
    await superuser.execute("""
        INSERT INTO reporting.audit_entries
        SELECT tenant_id, recorded_at, 'reporting', seq, id, actor, request_id, type, subject, data
        FROM reporting.journal""")
    keeping = retention(resources.database, resources.signing_key, tmp_path)
    for _ in range(2):
        assert (await keeping.run(utc_now())).failed is None
    yield await superuser.fetchrow(
        "SELECT last_xid AS after_xid, last_seq AS after_seq FROM reporting.journal_archives "
        "ORDER BY month DESC LIMIT 1"
    )
    await superuser.execute(f"TRUNCATE {TABLES}, reporting.audit_entries")
    await clear_years(superuser)


@pytest.fixture
def ask(client):
    async def get(path="", **params):
        headers = service_headers("forecasting", target="reporting")
        return await client.get(f"/internal/journal{path}", params=params, headers=headers)

    return get


async def test_who_has_not_read_what_is_archived_is_refused_and_nobody_skips_it(archived, ask):
    before = {"after_xid": archived["after_xid"], "after_seq": archived["after_seq"] - 1}

    refused = [await ask(), await ask(**before)]
    after = await ask(**archived)

    assert [answer.status_code for answer in refused] == [410, 410]
    assert refused[0].json()["code"] == "journal_archived"
    assert (after.status_code, after.json()["entries"]) == (200, [])


async def test_how_far_a_reader_is_is_noted(archived, ask, superuser):
    await ask(**archived)

    row = await superuser.fetchrow("SELECT reader, xid, seq FROM reporting.feed_readers")
    assert tuple(row) == ("forecasting", archived["after_xid"], archived["after_seq"])


async def test_a_journal_that_begins_in_archives_is_not_whole(archived, services, client):
    services.apps["reporting"] = client

    assert not await is_whole(Follower("reporting"), services)


async def test_copies_of_archived_entries_are_no_inventions(
    archived, resources, services, client, superuser
):
    services.apps["reporting"] = client
    given = (resources.database, resources.signing_key, services, "reporting")

    before = await verify_copies(*given)
    await superuser.execute("""
        INSERT INTO reporting.audit_entries
        SELECT tenant_id, recorded_at, service, -5, gen_random_uuid(), actor, request_id, type,
               subject, data
        FROM reporting.audit_entries LIMIT 1""")
    after = await verify_copies(*given)

    assert before.difference is None
    assert after.difference.kind == "inserted"


async def test_the_audit_names_each_month_and_how_it_was_proved(archived, get):
    found = await get("/api/audit/verify?archives=true")

    told = found["services"]["reporting"]
    assert told["status"] == "verified"
    assert [(month["month"], month["state"]) for month in told["archives"]] == [
        ("2018-01-01", "signed"), ("2018-02-01", "signed"), ("2018-03-01", "signed"),
    ]  # fmt: skip
