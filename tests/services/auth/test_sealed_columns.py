"""Whatever auth seals is sealed anew when its key changes, while somebody may be changing it."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import text

from services.auth.sealed_columns import SEALED_COLUMNS
from shared.db import Database, Stamp
from shared.resealing import list_remaining, measure_remaining, remaining, reseal
from shared.security.sealing import SealBroken, Sealer, key_id, place

pytestmark = pytest.mark.stack

OLD_KEY, NEW_KEY = "71" * 32, "5e" * 32
OLD, NEW = Sealer(OLD_KEY), Sealer(NEW_KEY)
BOTH = Sealer(NEW_KEY, OLD_KEY)
OLD_ID = key_id(bytes.fromhex(OLD_KEY)).hex()
# What checks of the tables want, where any text would not do.
VALUES = {
    "purpose": "address", "kind": "reset", "issuer": "https://x.example",
    "redirect_uri": "https://x.example/", "role": "viewer", "status": "active",
    "password_hash": "$argon2id$x", "expires_at": datetime(2100, 1, 1, tzinfo=UTC),
}  # fmt: skip
FILLERS = {
    "uuid": uuid4, "text": lambda: "x", "bytea": lambda: uuid4().bytes * 2, "integer": lambda: 1,
    "smallint": lambda: 1, "bigint": lambda: 1, "boolean": lambda: False, "ARRAY": list,
    "timestamp with time zone": lambda: datetime(2026, 1, 1, tzinfo=UTC), "jsonb": lambda: "{}",
}  # fmt: skip


@pytest.fixture
async def superuser(databases):
    """Without foreign keys: a row stands for itself here, and goes at the end."""
    connection = await asyncpg.connect(databases.superuser_dsn)
    await connection.execute("SET session_replication_role = replica; SET search_path = auth")
    yield connection
    await connection.close()


@pytest.fixture
async def database(make_settings):
    opened = Database.from_settings(make_settings())
    yield opened
    await opened.close()


@pytest.fixture
def open_for(database):
    return lambda tenant_id: database.transaction(Stamp(tenant_id, "worker"))


@pytest.fixture
async def sealed(superuser):
    """A row of each table with every column sealed by the old key: {column: (row, place)}."""
    made, tables = {}, {}
    for column in SEALED_COLUMNS:
        tables.setdefault(column.table, []).append(column)
    for table, columns in tables.items():
        row = await filled(superuser, table)
        owner = row.get("tenant_id") or columns[0].tenant_id
        if columns[0].tenant_id is not None:
            row[columns[0].key] = f"kid-{uuid4()}"
        for column in columns:
            row[column.name] = OLD.seal(b"secret", place(column.place, owner, row[column.key]))
            made[column] = row[column.key], place(column.place, owner, row[column.key])
        names = ", ".join(row)
        values = ", ".join(f"${n}" for n in range(1, len(row) + 1))
        await superuser.execute(f"INSERT INTO {table} ({names}) VALUES ({values})", *row.values())  # noqa: S608 - our own names.
    yield made
    for column, (key, _) in made.items():
        await superuser.execute(f"DELETE FROM {column.table} WHERE {column.key} = $1", key)  # noqa: S608 - same.


async def filled(superuser, table):
    """What a table wants at least."""
    columns = await superuser.fetch(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'auth'"
        " AND table_name = $1 AND is_nullable = 'NO'"
        " AND (column_default IS NULL OR column_name = 'tenant_id')",
        table,
    )
    row = {name: VALUES.get(name) or FILLERS[kind]() for name, kind in columns}
    if table == "authenticators":
        row["confirmed_at"] = datetime(2026, 1, 1, tzinfo=UTC)
    return row


async def stored(superuser, column, key):
    query = f"SELECT {column.name} FROM {column.table} WHERE {column.key} = $1"  # noqa: S608 - our own names.
    return await superuser.fetchval(query, key)


def broken(sealed, where):
    with pytest.raises(SealBroken):
        NEW.open(sealed, where)
    return True


async def test_every_sealed_column_of_the_schema_is_known(superuser):
    there = await superuser.fetch(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'auth' AND column_name LIKE '%\\_sealed'"
    )

    assert {tuple(row) for row in there} == {(one.table, one.name) for one in SEALED_COLUMNS}


async def test_after_it_the_new_key_alone_opens_everything(superuser, sealed, open_for):
    found = await reseal(open_for, SEALED_COLUMNS, sealer=BOTH)

    assert found.done >= len(SEALED_COLUMNS)
    for column, (key, where) in sealed.items():
        assert NEW.open(await stored(superuser, column, key), where) == b"secret", column
    again = await reseal(open_for, [*sealed], sealer=BOTH)
    assert again.done == 0


async def test_a_key_may_go_once_nothing_is_left_that_it_sealed(sealed, open_for):
    async with open_for(None) as session:
        before = await list_remaining(session, SEALED_COLUMNS, sealer=BOTH)
        await measure_remaining(session, SEALED_COLUMNS, sealer=BOTH)
    told = {
        sample.labels["column"]
        for metric in remaining.collect() for sample in metric.samples
        if sample.labels["key_id"] == OLD_ID
    }  # fmt: skip

    await reseal(open_for, SEALED_COLUMNS, sealer=BOTH)

    async with open_for(None) as session:
        after = await list_remaining(session, SEALED_COLUMNS, sealer=BOTH)
    named = {f"{column.table}.{column.name}" for column in SEALED_COLUMNS}
    assert {column for column, key in before if key == OLD_ID} == told == named
    assert OLD_ID not in {key for _, key in after}


async def test_what_no_key_opens_is_counted_and_left(superuser, sealed, open_for):
    before = {one: await stored(superuser, one, key) for one, (key, _) in sealed.items()}

    found = await reseal(open_for, SEALED_COLUMNS, sealer=NEW)

    assert found.unreadable >= len(SEALED_COLUMNS)
    after = {one: await stored(superuser, one, key) for one, (key, _) in sealed.items()}
    assert before == after
    assert all(broken(after[one], where) for one, (_, where) in sealed.items())


async def test_what_is_changed_meanwhile_stays_as_it_was_changed(
    superuser, sealed, open_for, database, monkeypatch
):
    """Somebody saves the row between our reading it and our writing it."""
    column = SEALED_COLUMNS[0]
    key, where = sealed[column]
    newer = BOTH.seal(b"newer", where)
    opened = Sealer.open

    def open_and_change(self, value, place):
        found = opened(self, value, place)
        if place == where:
            changing.append(newer)
        return found

    changing = []
    monkeypatch.setattr(Sealer, "open", open_and_change)

    class Changing:
        """A session before whose first UPDATE another connection changes the row."""

        def __init__(self, session):
            self._session = session

        async def execute(self, statement, values=None):
            if "UPDATE" in str(statement) and changing:
                async with database.engine.begin() as other:
                    tenant = where.split("|")[1]
                    await other.execute(
                        text("SELECT set_config('app.tenant', :tenant, true)"), {"tenant": tenant}
                    )
                    await other.execute(
                        text("UPDATE users SET email_sealed = :newer WHERE id = :id"),
                        {"newer": changing.pop(), "id": UUID(str(key))},
                    )
            return await self._session.execute(statement, values or {})

    class Opened:
        def __init__(self, tenant_id):
            self._inner = open_for(tenant_id)

        async def __aenter__(self):
            return Changing(await self._inner.__aenter__())

        async def __aexit__(self, *error):
            return await self._inner.__aexit__(*error)

    await reseal(Opened, [column], sealer=BOTH)

    assert await stored(superuser, column, key) == newer
