"""An entry that cannot be applied stops nobody else: set aside, told, and retried in order."""

import asyncio
import json
import sys
from dataclasses import replace
from uuid import uuid4

import asyncpg
import pytest

from services.reporting.followers import followers
from shared import cli, metrics
from shared.journal import follow as following
from shared.journal.follow import apply_page, rebuild, retry
from tests.services.reporting.conftest import InProcessServices
from tests.support.services import Caller

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("shop", "aside")]

MOVE = "/api/inventory/movements"
VALUE = "/api/reports/inventory-value"
POISON = {
    "a time before all times": {"occurred_at": "-infinity"},
    "a time that UTC does not have": {"occurred_at": "0001-01-01T00:00:00+05:00"},
    "a word for a number": {"quantity": "many"},
    "no number": {"quantity": "NaN"},
    "a number beyond the column": {"quantity": "1" + "0" * 25},
    "a list for a text": {"kind": ["receipt"]},
    "no item": {"item_id": None},
    "a cost that is not sealed": {"cost_id": str(uuid4()), "amount_sealed": "%%%"},
}


@pytest.fixture
async def shop(post):
    """Two items at one place."""
    await post("/api/locations", name="Main", type="warehouse")
    for code in ("A1", "B1"):
        await post("/api/inventory/add-item", code=code, name=code, unit_cost="2")


@pytest.fixture
def mend(superuser, caller):
    """Change what is aside of the movement with this reference, as a release would read it."""

    async def change(reference, **fields):
        changed = await superuser.execute(
            "UPDATE reporting.entries_set_aside SET entry = jsonb_set("
            "entry::jsonb, '{data}', entry::jsonb -> 'data' || $3::jsonb)::json "
            "WHERE tenant_id = $1 AND entry -> 'data' ->> 'reference' = $2",
            caller.tenant_id,
            reference,
            json.dumps(fields),
        )
        assert changed == "UPDATE 1"

    return change


@pytest.fixture
def quantities(get):
    async def read(reader=None):
        report = await (get(VALUE, reader=reader) if reader else get(VALUE))
        return {row["key"]: row["quantity"] for row in report["items"]}

    return read


@pytest.fixture
def again(inventory_follower, resources):
    """Try again what is aside; return how much of it is applied now."""

    async def try_again():
        applied, _ = await retry(inventory_follower, resources.database)
        return applied

    return try_again


@pytest.fixture
async def with_handlers(follow, inventory_follower, resources, services):
    """Apply what comes now with other handlers."""
    await follow()

    async def apply(**handlers):
        await apply_page(replace(inventory_follower, **handlers), resources.database, services)

    return apply


@pytest.mark.parametrize("fields", POISON.values(), ids=POISON)
async def test_an_entry_that_cannot_be_applied_stops_nobody_else(
    move, spoil, follow, aside, quantities, post, fields
):
    await move("A1", "10")
    await move("A1", "5", reference="poison")
    await move("B1", "7")
    other = Caller()
    await post("/api/locations", by=other, name="Main", type="warehouse")
    await post("/api/inventory/add-item", by=other, code="C1", name="C1", unit_cost="2")
    await post(MOVE, by=other, kind="receipt", item="C1", location="Main", quantity="3")
    await spoil("poison", **fields)

    await follow()

    [(reference, error, reason, attempts)] = await aside()
    assert (reference, attempts) == ("poison", 1)
    assert error
    assert reason
    assert await quantities() == {"A1": "10", "B1": "7"}
    assert await quantities(other) == {"C1": "3"}


async def test_what_comes_later_about_the_same_item_waits_and_is_applied_in_order(
    move, spoil, follow, aside, get, mend, again
):
    await move("A1", "10", reference="first", unit_cost="4")
    await move("A1", "10", reference="poison", unit_cost="8")
    await spoil("poison", quantity="many")
    await follow()
    await move("A1", "5", kind="issue", reference="later")
    await move("A1", "1", reference="last", unit_cost="1")
    await move("B1", "7")
    await follow()

    assert [row[0:2] + row[3:] for row in await aside()] == [
        ("poison", "ValidationError", 1), ("later", None, 0), ("last", None, 0)
    ]  # fmt: skip
    assert [row["value"] for row in (await get(VALUE))["items"]] == ["40", "14"]

    still = await again()
    assert (await aside())[0][3] == 2
    await mend("poison", quantity="10")
    done = await again()

    assert await aside() == []
    assert (still, done) == (0, 3)
    # 10 at 4 and 10 at 8 make 20 at 6; 5 went at 6, and 1 came at 1.
    assert [row["value"] for row in (await get(VALUE))["items"]] == ["91", "14"]


async def test_the_audit_trail_has_what_the_read_models_lack(
    move, spoil, follow, get, inventory_follower
):
    await move("A1", "10", reference="poison")
    await spoil("poison", quantity="many")
    await move("A1", "1", reference="later")

    await follow()

    trail = await get("/api/audit", service="inventory", type="inventory.stock-moved.v1")
    assert [entry["data"]["reference"] for entry in trail["items"]] == ["later", "poison"]


@pytest.mark.parametrize("data", ["[1, 2]", "null", '"text"'])
async def test_an_entry_that_is_no_object_stops_nobody(
    move, follow, quantities, superuser, caller, data
):
    await move("A1", "10", reference="poison")
    await move("B1", "7")
    await superuser.execute(
        "UPDATE inventory.journal SET data = $2::json "
        "WHERE tenant_id = $1 AND data ->> 'reference' = 'poison'", caller.tenant_id, data
    )  # fmt: skip

    await follow()

    assert await quantities() == {"B1": "7"}
    errors = await superuser.fetch(
        "SELECT error, reason FROM reporting.entries_set_aside WHERE tenant_id = $1",
        caller.tenant_id,
    )
    assert [tuple(row) for row in errors] == [("NoObjectError", "data is no object")]


async def test_a_later_version_waits_for_the_release_that_reads_it(
    move, follow, aside, superuser, caller, quantities
):
    await move("A1", "10", reference="newer")
    await superuser.execute(
        "UPDATE inventory.journal SET type = 'inventory.stock-moved.v2' "
        "WHERE tenant_id = $1 AND data ->> 'reference' = 'newer'", caller.tenant_id
    )  # fmt: skip
    await move("B1", "7")

    await follow()

    assert await aside() == [("newer", "UnknownVersionError", "inventory.stock-moved.v2", 1)]
    assert await quantities() == {"B1": "7"}


async def test_an_entry_of_a_type_that_nobody_here_reads_is_passed_over(
    move, follow, aside, superuser, caller
):
    await move("A1", "10", reference="new")
    await superuser.execute(
        "UPDATE inventory.journal SET type = 'inventory.stock-counted.v1' "
        "WHERE tenant_id = $1 AND data ->> 'reference' = 'new'", caller.tenant_id
    )  # fmt: skip

    await follow()

    assert await aside() == []


async def test_an_unknown_item_and_place_are_no_reason(move, spoil, follow, aside, quantities):
    """Their own entries may have been set aside, and come later."""
    await move("A1", "10", reference="of nobody")
    await move("B1", "7")
    await spoil("of nobody", item_id=str(uuid4()), location_id=str(uuid4()))

    await follow()

    assert await aside() == []
    assert await quantities() == {"B1": "7"}


async def test_many_at_once_are_found_and_all_else_applied_once(
    post, move, spoil, follow, aside, quantities
):
    lines = [
        {"kind": "receipt", "item": item, "location": "Main", "quantity": "1", "reference": f"{n}"}
        for n in range(40)
        for item in ("A1", "B1")
    ]
    for code in ("C1", "D1"):
        await post("/api/inventory/add-item", code=code, name=code)
    await post("/api/inventory/movements/bulk", lines=lines)
    await move("C1", "3", reference="worse")
    await move("D1", "4")
    await spoil("worse", occurred_at="-infinity")
    await move("A1", "1", reference="bad")
    await spoil("bad", quantity="1e40")

    await follow()

    assert [row[0] for row in await aside()] == ["worse", "bad"]
    assert await quantities() == {"A1": "40", "B1": "40", "D1": "4"}


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError("gone"),
        TimeoutError(),
        asyncpg.DeadlockDetectedError("deadlock detected"),
        asyncpg.LockNotAvailableError("lock timeout"),
        asyncpg.QueryCanceledError("statement timeout"),
        asyncpg.ConnectionDoesNotExistError("closed"),
        asyncpg.UndefinedColumnError("not migrated yet"),
        asyncpg.InterfaceError("connection is closed"),
    ],
    ids=repr,
)
async def test_what_is_not_the_entrys_fault_sets_nothing_aside(
    move, follow, aside, quantities, with_handlers, error
):
    await move("A1", "10")

    async def fail(_session, _entries):
        raise error

    with pytest.raises(type(error)):
        await with_handlers(apply=fail)

    assert await aside() == []
    await follow()
    assert await quantities() == {"A1": "10"}


async def test_a_rebuild_forgets_what_was_aside_and_finds_it_again(
    move, spoil, follow, aside, resources
):
    await move("A1", "10", reference="poison")
    await spoil("poison", quantity="many")
    await follow()
    before = await aside()

    await rebuild(followers(resources.own), resources.database)
    forgotten = await aside()
    await follow()

    assert (len(before), forgotten) == (1, [])
    assert await aside() == before


async def test_operators_see_how_many_and_which_but_not_what_they_say(
    move, spoil, follow, get, caller
):
    await move("A1", "10", reference="poison")
    await spoil("poison", quantity="0451-private")
    await move("A1", "1")
    await follow()
    await follow()

    status = await get("/status")

    [inventory] = [one for one in status["follows"] if one["producer"] == "inventory"]
    assert inventory["set_aside"] >= 2
    [named] = [e for e in status["set_aside"] if e["tenant_id"] == str(caller.tenant_id)]
    assert (named["producer"], named["type"]) == ("inventory", "inventory.stock-moved.v1")
    assert (named["error"], named["attempts"]) == ("ValidationError", 1)
    assert named["reason"] == "quantity: decimal_parsing"
    assert "0451" not in json.dumps(status)
    counted = metrics.journal_entries_set_aside.labels("inventory")._value.get()
    assert counted == inventory["set_aside"]


async def test_what_cannot_be_copied_is_not_applied_either(
    move, aside, quantities, again, with_handlers, inventory_follower
):
    await move("A1", "10", reference="poison")
    await move("A1", "1", reference="later")
    await move("B1", "7")

    async def copy(session, entries):
        if any(entry["data"].get("reference") == "poison" for entry in entries):
            raise KeyError("poison")
        await inventory_follower.copy(session, entries)

    await with_handlers(copy=copy)

    assert [row[:2] for row in await aside()] == [("poison", "KeyError"), ("later", None)]
    assert await quantities() == {"B1": "7"}
    assert await again() == 2
    assert await quantities() == {"A1": "11", "B1": "7"}


async def test_the_command_tries_again_and_says_what_came_of_it(
    with_handlers, move, aside, quantities, reporting_settings, monkeypatch, capsys
):
    await move("A1", "10", reference="poison")

    async def fail(_session, _entries):
        raise KeyError

    await with_handlers(apply=fail)
    monkeypatch.setattr(sys, "argv", ["reporting", "retry"])
    monkeypatch.setattr(cli, "load_settings", lambda _: reporting_settings)
    monkeypatch.setattr(cli, "configure_logging", lambda *_: None)  # Of this whole process.
    await asyncio.to_thread(cli.main, "services.reporting")

    assert "inventory's journal: 1 applied now, 0 still set aside" in capsys.readouterr().out
    assert await aside() == []
    assert await quantities() == {"A1": "10"}


async def test_a_release_that_can_read_it_applies_it_at_its_start(
    with_handlers, move, aside, quantities, inventory_follower, resources
):
    await move("A1", "10", reference="poison")

    async def fail(_session, _entries):
        raise KeyError

    await with_handlers(apply=fail)
    assert len(await aside()) == 1
    idle = IdleFeed()
    started = asyncio.create_task(
        following.follow(inventory_follower, resources.database, idle, resources.waker)
    )
    await idle.asked.wait()
    started.cancel()
    await asyncio.gather(started, return_exceptions=True)

    assert await aside() == []
    assert await quantities() == {"A1": "10"}


class IdleFeed(InProcessServices):
    """Has nothing new, and tells when it was asked."""

    def __init__(self):
        super().__init__()
        self.asked = asyncio.Event()

    async def get_json(self, service, path, params=None):  # noqa: ARG002 - the client's signature.
        self.asked.set()
        return {"entries": [], "head_seq": 0}
