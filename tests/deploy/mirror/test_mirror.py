"""Two real servers: one is written, the other follows, takes over, and gives back."""

import asyncio
import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from prometheus_client import REGISTRY

from deploy.local.stack import embedded_postgres
from deploy.mirror.checking import catch_up, check
from deploy.mirror.cutting_over import call_off, cut_over, give_up
from deploy.mirror.errors import MirrorError
from deploy.mirror.job import MirrorWatch
from deploy.mirror.servers import WRITERS, Ends, connected, freeze
from deploy.mirror.setting_up import set_up
from deploy.mirror.status import read_status
from tests.support.database import FAST, Databases
from tests.support.waiting import eventually

pytestmark = [pytest.mark.stack, pytest.mark.slow]

LOGICAL = FAST | {
    "wal_level": "logical", "max_connections": "100", "max_wal_size": "64MB",
    "max_slot_wal_keep_size": "-1",  # Set-up bounds it, where nobody has.
}  # fmt: skip


def silent(_text):
    pass


@dataclass
class Pair:
    """The two, and who is the primary."""

    databases: Databases
    ends: Ends

    def swap(self):
        self.ends = Ends(self.ends.mirror, self.ends.primary)

    def dsn(self, role, *, of):
        """Where a role connects to one of the two; it has the same password on both."""
        socket = of.partition("?host=")[2]
        return f"{self.databases.dsn(role).partition('?host=')[0]}?host={socket}"

    async def set_up(self, *, empty=False):
        await set_up(self.ends, wal_keep_mb=64, empty=empty, say=silent)

    @contextlib.asynccontextmanager
    async def app(self, *, tenant, of=None):
        """A session of inventory's role, as its service has it."""
        connection = await asyncpg.connect(self.dsn("inventory_app", of=of or self.ends.primary))
        try:
            await connection.execute("SELECT set_config('app.tenant', $1, false)", str(tenant))
            yield connection
        finally:
            await connection.close()

    async def note(self, tenant, count=1):
        """Write entries into inventory's journal as its service does."""
        async with self.app(tenant=tenant) as connection:
            for _ in range(count):
                await connection.execute(_ENTRY, uuid4())

    async def feed(self, *, of):
        async with self.app(tenant=uuid4(), of=of) as connection:
            return await connection.fetch("SELECT * FROM journal_feed('0', 0, 10000)")


_ENTRY = """
    INSERT INTO journal (id, actor, request_id, type, subject, data)
    VALUES ($1, 'user:test', 'request', 'test.noted.v1', 'note:1', '{}')"""


@pytest.fixture(scope="module")
async def pair(tmp_path_factory):
    folder = Path(tmp_path_factory.mktemp("mirror"))
    with (
        embedded_postgres(folder / "one", LOGICAL) as one,
        embedded_postgres(folder / "two", LOGICAL) as two,
    ):
        databases = Databases(one)
        await databases.prepare()
        found = Pair(databases, Ends(one, two))
        await found.note(uuid4(), 30)
        await found.set_up()
        yield found


@pytest.fixture
async def primary(pair):
    async with connected(pair.ends.primary) as connection:
        yield connection


@pytest.fixture
async def mirror(pair):
    async with connected(pair.ends.mirror) as connection:
        yield connection


async def test_what_was_there_and_what_is_written_reaches_the_mirror(pair, primary, mirror):
    await pair.note(uuid4(), 5)

    await catch_up(primary)

    count = "SELECT count(*) FROM inventory.journal"
    assert await mirror.fetchval(count) == await primary.fetchval(count) >= 35
    assert (await read_status(pair.ends)).faults == []
    assert (await check(pair.ends)).ok


async def test_nobody_but_the_subscription_writes_on_the_mirror(pair):
    async with pair.app(tenant=uuid4(), of=pair.ends.mirror) as connection:
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await connection.execute(_ENTRY, uuid4())


async def test_changes_and_removals_reach_it_under_row_level_security(pair, primary, mirror):
    tenant = uuid4()
    key = "SELECT answer FROM inventory.idempotency_keys WHERE tenant_id = $1"
    async with pair.app(tenant=tenant) as app:
        await app.execute(
            "INSERT INTO idempotency_keys (actor, key, fingerprint) VALUES ('a', 'k', '')"
        )
        await app.execute("""UPDATE idempotency_keys SET answer = '{"a": 1}'""")
        await catch_up(primary)
        changed = await mirror.fetchval(key, tenant)
        await app.execute("DELETE FROM idempotency_keys")

    await catch_up(primary)

    assert changed == '{"a": 1}'
    assert await mirror.fetch(key, tenant) == []


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE inventory.journal SET actor = 'user:else' WHERE seq = 3", "different"),
        ("DELETE FROM inventory.journal WHERE seq = 3", "missing"),
        ("UPDATE inventory.journal SET seq = 3000000 WHERE seq = 3", "extra"),
    ],
)
async def test_the_checker_names_the_row(pair, mirror, statement, fault):
    [row] = await mirror.fetch("SELECT * FROM inventory.journal WHERE seq = 3")
    await mirror.execute(statement)

    found = await check(pair.ends)

    await mirror.execute("DELETE FROM inventory.journal WHERE seq IN (3, 3000000)")
    await mirror.execute(
        "INSERT INTO inventory.journal SELECT * FROM json_populate_record("
        "NULL::inventory.journal, $1::json)",
        _as_json(row),
    )
    seq = 3000000 if fault == "extra" else 3
    assert (fault, f"seq={seq}") in [(each.fault, each.key) for each in found.named]
    assert sum(found.differing.values()) == len(found.named) <= 2
    assert (await check(pair.ends)).ok


def _as_json(row):
    return json.dumps(
        {name: str(value) for name, value in row.items() if name != "data"}
        | {"data": json.loads(row["data"])}
    )


async def test_the_checker_is_not_misled_by_what_is_being_written(pair):
    done = asyncio.Event()

    async def write():
        while not done.is_set():
            await pair.note(uuid4(), 20)

    writing = asyncio.create_task(write())

    found = [await check(pair.ends) for _ in range(3)]

    done.set()
    await writing
    assert [result.differing for result in found] == [{}, {}, {}]


async def test_a_cut_over_that_would_lose_a_row_is_taken_back(pair, mirror):
    extra = "INSERT INTO inventory.follower_cursors (producer) VALUES ('nobody')"
    await mirror.execute(extra)

    with pytest.raises(MirrorError, match=r"differs in inventory.follower_cursors \(1\)"):
        await cut_over(pair.ends, silent)

    await mirror.execute("DELETE FROM inventory.follower_cursors")
    await pair.note(uuid4())
    assert (await read_status(pair.ends)).faults == []


async def test_a_key_that_both_have_stops_it_and_is_seen(pair, primary, mirror):
    add = "INSERT INTO inventory.follower_cursors (producer) VALUES ('twice')"
    await mirror.execute(add)
    await primary.execute(add)

    async def is_seen():
        status = await read_status(pair.ends)
        return status.subscription.conflicts > 0 and status.faults

    await eventually(is_seen)
    await mirror.execute("DELETE FROM inventory.follower_cursors")
    await catch_up(primary)


async def test_it_takes_over_and_gives_back(pair):
    tenant = uuid4()
    old, new = pair.ends.primary, pair.ends.mirror
    async with connected(old) as primary:
        before = await primary.fetchval("SELECT max(seq) FROM inventory.journal")

    done = await cut_over(pair.ends, silent)

    assert done.check.ok
    assert done.frozen_s < 10
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await pair.note(tenant)
    pair.swap()
    await pair.note(tenant, 3)
    entries = await pair.feed(of=new)
    assert [row["seq"] for row in entries] == list(range(1, before + 4))  # None twice, all shown.
    assert [row["seq"] for row in entries if row["tenant_id"] == tenant] == [
        *range(before + 1, before + 4)
    ]

    with pytest.raises(MirrorError, match="say --empty"):
        await pair.set_up()
    await pair.set_up(empty=True)
    await cut_over(pair.ends, silent)

    pair.swap()
    assert pair.ends.primary == old
    await pair.note(tenant, 2)
    assert [row["seq"] for row in await pair.feed(of=old)] == list(range(1, before + 6))


async def test_a_cut_over_that_was_killed_is_called_off_or_finished(pair):
    await pair.set_up(empty=True)
    async with connected(pair.ends.primary) as primary:
        await freeze(primary, WRITERS)
    with pytest.raises(MirrorError, match="call it off"):
        await give_up(pair.ends)
    await call_off(pair.ends)
    await pair.note(uuid4())
    async with connected(pair.ends.primary) as primary, connected(pair.ends.mirror) as mirror:
        await catch_up(primary)
        await freeze(primary, WRITERS)
        await mirror.execute("DROP SUBSCRIPTION stock_mirror")  # Killed right here.

    with pytest.raises(MirrorError, match="has taken over"):
        await call_off(pair.ends)
    with pytest.raises(MirrorError, match="exchanged"):
        await pair.set_up(empty=True)
    await cut_over(pair.ends, silent)

    pair.swap()
    async with pair.app(tenant=uuid4()) as app:
        assert await app.fetchval("SHOW default_transaction_read_only") == "off"


async def test_a_mirror_that_is_away_costs_so_much_and_no_more(pair):
    await pair.set_up(empty=True)
    watch = MirrorWatch(pair.ends)
    await watch.start_errors()
    await watch.look()
    assert metric("db_mirror_slot_wal_status", status="lost") == 0
    assert metric("db_dual_write_errors_total", table="inventory.journal") == 0
    assert metric("db_mirror_applying") == 1
    async with connected(pair.ends.mirror) as mirror:
        await mirror.execute("ALTER SUBSCRIPTION stock_mirror DISABLE")

    async with connected(pair.ends.primary) as primary:
        await eventually(lambda: primary.fetchval(_INACTIVE))
        for number in range(8):
            await primary.execute(f"CREATE TABLE public.filler_{number} ()")
            await primary.execute("SELECT pg_switch_wal()")

        async def is_lost():
            await primary.execute("CHECKPOINT")  # It is then that a slot is given up.
            await watch.look()
            return metric("db_mirror_slot_wal_status", status="lost") == 1

        await eventually(is_lost)
    assert metric("db_mirror_slot_active") == metric("db_mirror_applying") == 0
    assert "the slot is lost" in (await read_status(pair.ends)).faults[0]


_INACTIVE = "SELECT NOT active FROM pg_replication_slots WHERE slot_name = 'stock_mirror'"


def metric(name, **labels):
    return REGISTRY.get_sample_value(name, labels)


async def test_a_mirror_that_is_gone_for_good_costs_the_primary_nothing(pair):
    await give_up(pair.ends)

    async with connected(pair.ends.primary) as primary:
        assert await primary.fetchval("SELECT count(*) FROM pg_replication_slots") == 0
    assert (await read_status(pair.ends)).faults == [
        "the primary has no slot for the mirror: run set-up",
        "the mirror has no subscription: run set-up",
    ]
    with pytest.raises(MirrorError, match="run set-up"):  # At once, and not after a minute.
        await check(pair.ends)
