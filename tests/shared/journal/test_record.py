import json
from typing import ClassVar
from uuid import uuid4

import pytest

from shared import journal
from shared.db import Stamp
from shared.journal import Entry

pytestmark = pytest.mark.stack


class Remarked(Entry):
    name: ClassVar[str] = "tests.remarked.v1"
    number: int
    text: str | None = None

    @property
    def subject(self) -> str:
        return f"remark:{self.number}"


async def test_many_entries_are_written_in_their_order_as_each_alone_would_be(database, superuser):
    entries = [Remarked(number=n, text='é "') for n in (3, 1, 2)]
    tenant = uuid4()

    async with database.transaction(Stamp(tenant, "user:test", "request-1")) as session:
        journal.record(session, entries[0])
        await session.flush()
        await journal.record_many(session, entries)
        has_grown = journal.has_grown(session)

    rows = await superuser.fetch(
        "SELECT tenant_id, actor, request_id, type, subject, data FROM reporting.journal"
        " ORDER BY seq"
    )
    alone, *together = [(*list(row)[:5], json.loads(row["data"])) for row in rows]
    assert has_grown
    assert alone == together[0]
    assert alone[:4] == (tenant, "user:test", "request-1", "tests.remarked.v1")
    assert [row[4] for row in together] == ["remark:3", "remark:1", "remark:2"]


async def test_no_entries_leave_the_journal_as_it_is(database, superuser):
    async with database.transaction(Stamp(uuid4(), "user:test", "request-1")) as session:
        await journal.record_many(session, [])
        has_grown = journal.has_grown(session)

    assert not has_grown
    assert await superuser.fetchval("SELECT count(*) FROM reporting.journal") == 0
