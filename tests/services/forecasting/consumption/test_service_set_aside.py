"""What forecasting cannot count is set aside, and all else is counted."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import asyncpg
import pytest

from shared.contracts.inventory.items import ItemSaved
from shared.contracts.inventory.movements import StockMoved
from shared.ids import new_id
from shared.journal.follow import apply_page
from tests.support.services import Caller

pytestmark = pytest.mark.stack

POISON = {
    "a time before all times": {"occurred_at": "-infinity"},
    "the first year": {"occurred_at": "0001-01-01T00:00:00Z"},
    "a time that is none": {"occurred_at": "yesterday"},
    "a word for a number": {"quantity": "many"},
    "no number": {"quantity": "NaN"},
    "a number beyond the column": {"quantity": "1" + "0" * 30},
    "a character that no text can hold": {"kind": "\x00"},
    "no item": {"item_id": None},
}


class Pages:
    """Stands in for inventory: entries that lie far behind those of other tests."""

    def __init__(self, *entries):
        self.entries = entries

    async def get_json(self, _service, _path, _params):
        return {"entries": list(self.entries), "head_seq": self.entries[-1]["seq"]}


@pytest.fixture
async def superuser(databases):
    connection = await asyncpg.connect(databases.superuser_dsn)
    cursor = await connection.fetch("SELECT * FROM forecasting.follower_cursors")
    yield connection
    await connection.execute("TRUNCATE forecasting.follower_cursors, forecasting.entries_set_aside")
    for row in cursor:
        await connection.execute(
            "INSERT INTO forecasting.follower_cursors VALUES ($1, $2, $3, $4, $5, $6)", *row
        )
    await connection.close()


@pytest.fixture
def place():
    """Where the entries lie in the journal: each after the one before, behind all real ones."""
    return iter(range(1, 1000))


@pytest.fixture
def entry(place):
    def make(caller, of, **changed):
        seq = next(place)
        return {
            "xid": 2**40 + seq,
            "seq": seq,
            "id": str(new_id()),
            "tenant_id": str(caller.tenant_id),
            "recorded_at": datetime.now(UTC).isoformat(),
            "actor": "test",
            "request_id": "",
            "type": of.name,
            "subject": of.subject,
            "data": of.model_dump(mode="json") | changed,
        }

    return make


def saved(code):
    return ItemSaved(
        item_id=new_id(), code=code, name_en=code, name_fr=code, category=None, unit="each",
        pack_size=Decimal(1), pack_unit=None, par_level=None, reorder_point=None,
        reorder_quantity=None, lead_time_days=None, cost_id=None, active=True, changed=[],
    )  # fmt: skip


def moved(item, quantity):
    return StockMoved(
        movement_id=new_id(), leg=0, kind="receipt", item_id=item.item_id, code=item.code,
        location_id=new_id(), location="Main", quantity=Decimal(quantity),
        balance_after=Decimal(quantity), cost_id=None, amount_sealed=None, reason=None,
        reference=None, occurred_at=datetime.now(UTC),
    )  # fmt: skip


@pytest.mark.parametrize("changed", POISON.values(), ids=POISON)
async def test_an_entry_that_cannot_be_counted_stops_nobody(
    caller, follower, database, superuser, entry, changed
):
    other, bad, good, theirs = Caller(), saved("BAD"), saved("GOOD"), saved("THEIRS")
    entries = [
        *(entry(caller, item) for item in (bad, good)), entry(other, theirs),
        entry(caller, moved(bad, 10)), entry(caller, moved(bad, 5), **changed),
        entry(caller, moved(bad, 1)), entry(caller, moved(good, 7)), entry(other, moved(theirs, 3)),
    ]  # fmt: skip

    await apply_page(follower, database, Pages(*entries))

    levels = await superuser.fetch(
        "SELECT i.code, v.on_hand FROM forecasting.levels v "
        "JOIN forecasting.items i ON i.id = v.item_id AND i.tenant_id = v.tenant_id "
        "WHERE i.tenant_id = ANY($1) ORDER BY 1", [caller.tenant_id, other.tenant_id]
    )  # fmt: skip
    assert [tuple(row) for row in levels] == [("BAD", 10), ("GOOD", 7), ("THEIRS", 3)]
    aside = await superuser.fetch(
        "SELECT seq, error IS NULL AS waits, attempts FROM forecasting.entries_set_aside "
        "WHERE tenant_id = $1 ORDER BY seq", caller.tenant_id
    )  # fmt: skip
    assert [tuple(row) for row in aside] == [(5, False, 1), (6, True, 0)]


async def test_an_entry_of_another_version_is_not_taken_for_nothing(
    caller, follower, database, superuser, entry
):
    item = saved("NEW")
    newer = entry(caller, moved(item, 10)) | {"type": "inventory.stock-moved.v2"}

    await apply_page(follower, database, Pages(entry(caller, item), newer))

    aside = await superuser.fetchrow(
        "SELECT error, entry FROM forecasting.entries_set_aside WHERE tenant_id = $1",
        caller.tenant_id,
    )
    assert aside["error"] == "UnknownVersionError"
    assert json.loads(aside["entry"]) == newer
