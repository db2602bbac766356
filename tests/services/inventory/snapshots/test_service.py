"""The past by snapshots is the sum of the ledger, at any two times, whatever was recorded when."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inventory.ledger import service as ledger
from services.inventory.ledger.rules import NO_LOT
from services.inventory.ledger.service import StockFilter
from services.inventory.resources import open_service
from services.inventory.snapshots import service
from services.inventory.snapshots.rules import Horizon
from shared.clock import utc_now
from shared.db import Stamp

pytestmark = pytest.mark.stack

BEGAN = utc_now().replace(microsecond=0) - timedelta(days=200)
ITEMS, PLACES, LOTS = 2, 2, 2
SIZE = 3  # Rows of the ledger in a snapshot.
rows = st.tuples(
    st.integers(0, ITEMS * PLACES * LOTS - 1),
    st.integers(-3, 9),
    # How long before its recording it happened, in seconds: mostly at once.
    st.sampled_from([0, 0, 0, 1, 60, 3600]) | st.integers(0, 80 * 86_400),
    st.sampled_from([0, 1, 30, 7200, 3 * 86_400]),  # Since the one recorded before it.
)
groups = st.lists(st.tuples(st.lists(rows, min_size=1, max_size=12), st.booleans()), max_size=6)


@pytest.fixture(scope="session")
async def resources(inventory_settings):
    opened = open_service(inventory_settings)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
async def superuser(databases):
    connection = await asyncpg.connect(databases.superuser_dsn)
    yield connection
    await connection.close()


class Ledger:
    """A tenant's ledger, written as it may have been written, and what it says by itself."""

    def __init__(self, superuser, database):
        self.tenant_id = uuid4()
        self.superuser, self.database = superuser, database
        self.items = [uuid4() for _ in range(ITEMS)]
        self.places = [uuid4() for _ in range(PLACES)]
        self.lots = {item: [NO_LOT, uuid4()] for item in self.items}
        self.rows: list[tuple[tuple[UUID, UUID, UUID], Decimal, datetime, datetime]] = []
        self.now = BEGAN

    def opened(self):
        return self.database.transaction(Stamp(self.tenant_id, "test"))

    async def begin(self):
        for number, item in enumerate(self.items):
            await self.superuser.execute(
                "INSERT INTO inventory.items (id, tenant_id, code, name_en, unit, search_text, "
                "created_at, updated_at) VALUES ($1, $2, $3, 'I', 'each', '', now(), now())",
                *(item, self.tenant_id, f"I{number}"),
            )
            await self.superuser.execute(
                "INSERT INTO inventory.lots (tenant_id, id, item_id, code, key, received_at) "
                "VALUES ($1, $2, $3, 'L', 'l', now())",
                *(self.tenant_id, self.lots[item][1], item),
            )
        for number, place in enumerate(self.places):
            await self.superuser.execute(
                "INSERT INTO inventory.locations (id, tenant_id, name, name_key, type, created_at,"
                " updated_at) VALUES ($1, $2, $3, lower($3), 'warehouse', now(), now())",
                *(place, self.tenant_id, f"P{number}"),
            )
        for item in self.items:
            for place in self.places:
                await self.superuser.execute(
                    "INSERT INTO inventory.levels (tenant_id, item_id, location_id) "
                    "VALUES ($1, $2, $3)",
                    *(self.tenant_id, item, place),
                )

    async def record(self, group, chance) -> Horizon:
        """Record rows, their numbers not quite in the order of their times; return the horizon.

        As a worker notes it while they are being recorded: a number from before all of them.
        """
        after_seq = await self.superuser.fetchval("SELECT last_value FROM inventory.movement_seq")
        added = []
        for level, quantity, late_s, since_s in group:
            self.now += timedelta(seconds=since_s)
            item, rest = divmod(level, PLACES * LOTS)
            item_id = self.items[item]
            of = item_id, self.places[rest // LOTS], self.lots[item_id][rest % LOTS]
            happened = self.now - timedelta(seconds=late_s)
            added.append((of, Decimal(quantity), happened, self.now))
        known_at = chance.choice([row[3] for row in added])
        chance.shuffle(added)
        await self.superuser.executemany(
            "INSERT INTO inventory.movements (id, tenant_id, kind, item_id, location_id, lot_id, "
            "quantity, balance_after, actor, occurred_at, recorded_at) VALUES "
            "(gen_random_uuid(), $1, 'adjustment', $2, $3, $4, $5, 0, 'a', $6, $7)",
            [(self.tenant_id, *of, q, o, r) for of, q, o, r in added],
        )
        self.rows += added
        self.now += timedelta(microseconds=1)
        return Horizon(known_at, after_seq)

    async def snapshot(self, horizon, size=SIZE):
        async with self.opened() as session:
            while await service.begin_snapshots(session, horizon, size=size):
                while await service.sum_snapshot(session, most=1, busy_from=2):
                    pass

    async def count_snapshots(self):
        return await self.superuser.fetchval(
            "SELECT count(*) FROM inventory.snapshots WHERE tenant_id = $1 AND made_at IS NOT NULL",
            self.tenant_id,
        )

    def sums(self, as_of, known_at):
        found = defaultdict(Decimal)
        for of, quantity, happened, recorded in self.rows:
            if (as_of is None or happened <= as_of) and (known_at is None or recorded <= known_at):
                found[of] += quantity
        return {of: total for of, total in found.items() if total}

    async def answers(self, when):
        """What is answered of each item at each place then, lot by lot."""
        as_of, known_at = when
        found = defaultdict(list)
        async with self.opened() as session:
            for item in self.items:
                rows = await ledger.stock_as_of(
                    session, item, as_of=as_of, known_at=known_at or utc_now(), places=None
                )
                for row in rows:
                    found[item, row["location_id"]].append(row["on_hand"])
        return {level: sorted(lots) for level, lots in found.items()}

    async def listed(self, when, places):
        as_of, known_at = when
        wanted = StockFilter(
            as_of, known_at or utc_now(), None if places is None else frozenset(places)
        )
        async with self.opened() as session:
            rows = await ledger.list_stock(session, wanted, after=None, limit=10)
        return {row["item_id"]: row["on_hand"] for row in rows}

    def instants(self):
        """Where answers change, and beside it."""
        tick = timedelta(microseconds=1)
        known = {at for _, _, o, r in self.rows for at in (o, r, r - tick)}
        days = {at.replace(hour=0, minute=0, second=0, microsecond=0) for at in known}
        return sorted(known | days | {day - tick for day in days})

    async def assert_right(self, chance, count=12):
        instants = [None, *self.instants()]
        for _ in range(count):
            when = chance.choice(instants), chance.choice(instants)
            lots, by_place = defaultdict(list), defaultdict(Decimal)
            for (item, place, _), total in self.sums(*when).items():
                lots[item, place].append(total)
                by_place[item, place] += total
            assert await self.answers(when) == {level: sorted(q) for level, q in lots.items()}
            for places in (None, self.places[:1]):
                wanted = defaultdict(Decimal)
                for (item, place), total in by_place.items():
                    if places is None or place in places:
                        wanted[item] += total
                assert await self.listed(when, places) == {i: q for i, q in wanted.items() if q}


@given(groups, st.randoms(use_true_random=False))
async def test_the_past_is_the_sum_of_the_ledger(superuser, resources, recorded, chance):
    ledger = Ledger(superuser, resources.database)
    await ledger.begin()

    for group, is_taken in recorded:
        horizon = await ledger.record(group, chance)
        if is_taken:
            await ledger.snapshot(horizon)
        await ledger.assert_right(chance, 3)

    await ledger.assert_right(chance)


async def test_answers_stay_whatever_is_recorded_later(superuser, resources):
    chance = Random(7)  # noqa: S311 - of a test.
    ledger = Ledger(superuser, resources.database)
    await ledger.begin()

    def made(count):
        return [
            (chance.randrange(8), chance.randint(-3, 9), chance.choice([0, 0, 60, 9 * 86_400]), 60)
            for _ in range(count)
        ]

    await ledger.record(made(400), chance)
    questions = [
        (chance.choice([None, *ledger.instants()]), chance.choice(ledger.rows)[3])
        for _ in range(15)
    ]
    told = [await ledger.answers(question) for question in questions]
    noted = await ledger.record(made(10_000), chance)
    await ledger.snapshot(noted._replace(known_at=ledger.now), size=500)

    assert await ledger.count_snapshots() > 8
    assert [await ledger.answers(question) for question in questions] == told
    await ledger.assert_right(chance)


async def test_each_part_of_an_answer_is_needed(superuser, resources):
    """Sums by months and by days, rows of the day, rows recorded since: none is always nothing."""
    chance = Random(3)  # noqa: S311 - of a test.
    ledger = Ledger(superuser, resources.database)
    await ledger.begin()
    group = [(0, 1, 5 * 86_400 * (n % 7 == 0), 7200) for n in range(900)]
    noted = await ledger.record(group, chance)
    await ledger.snapshot(noted._replace(known_at=ledger.now), size=50)

    grains = await superuser.fetch(
        "SELECT grain, count(*) FROM inventory.snapshot_sums WHERE tenant_id = $1 GROUP BY 1",
        ledger.tenant_id,
    )

    assert await ledger.count_snapshots() > 8
    assert {row["grain"] for row in grains} == {"day", "month"}
    await ledger.assert_right(chance, 40)


async def test_what_may_still_be_recorded_is_in_no_snapshot(superuser, resources, databases):
    other = await asyncpg.connect(databases.dsn("inventory_app"))
    async with resources.database.transaction(Stamp(None, "test")) as session:
        async with other.transaction():
            await other.execute("SELECT pg_current_xact_id()")
            horizon = await service.find_horizon(session)

            assert not await service.is_settled(session, horizon)

        assert await service.is_settled(session, horizon)
    await other.close()
