"""What the database's owner did to what was entered into counts, in real SQL, and what is named."""

from uuid import UUID

import pytest

from tests.support.services import Caller

pytestmark = [pytest.mark.stack, pytest.mark.asvs("F06")]
COUNTS = "/api/inventory/counts"
COPY = """
    INSERT INTO inventory.count_entries (tenant_id, count_id, id, number, round, quantity, adds,
        given_quantity, given_unit, counter, counter_id, counted_at, entered_at)
    SELECT tenant_id, count_id, gen_random_uuid(), number, round, quantity, adds, given_quantity,
        given_unit, counter, counter_id, counted_at, entered_at
    FROM inventory.count_entries WHERE tenant_id = $1 LIMIT 1 RETURNING id"""


@pytest.fixture
async def entries(make_location, make_item, move, client, caller, superuser):
    """Three statements of two calls by two people, one of them in cases; gives their ids."""
    await make_location("Main")
    for code in ("A1", "A2"):
        await make_item(code, packs=[{"unit": "case", "quantity": "12"}])
        await move("receipt", 10, item=code)
    opened = await client.post(COUNTS, json={"locations": ["Main"]}, headers=caller.headers())
    path = f"{COUNTS}/{opened.json()['id']}/lines"
    line = {"item": "A1", "location": "Main"}
    for who, lines in (
        (
            caller,
            [line | {"quantity": "12.5"}, line | {"item": "A2", "quantity": "1", "unit": "case"}],
        ),
        (Caller(caller.tenant_id), [line | {"quantity": "0", "add": True, "id": str(UUID(int=9))}]),
    ):
        answer = await client.put(path, json={"lines": lines}, headers=who.headers())
        assert answer.status_code == 200, answer.text
    found = await superuser.fetch(
        "SELECT id FROM inventory.count_entries WHERE tenant_id = $1 ORDER BY seq",
        caller.tenant_id,
    )
    return [row["id"] for row in found]


@pytest.fixture
def differences(client, caller):
    async def ask():
        answer = await client.get("/api/inventory/verify", headers=caller.headers())
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found["ok"] is not bool(found["differences"])
        return {(one["kind"], one["count_entry_id"]) for one in found["differences"]}

    return ask


async def test_what_nobody_touched_verifies(entries, differences):
    assert len(entries) == 3
    assert await differences() == set()


@pytest.mark.parametrize(
    "change",
    [
        "quantity = quantity + 1",
        "quantity = NULL",
        "adds = NOT adds",
        "round = 2",
        "number = 3 - number",
        "counted_at = counted_at - interval '1 microsecond'",
        "counter = 'user:x'",
        "counter_id = gen_random_uuid()",
        "given_quantity = 2",
        "given_unit = 'box'",
    ],
)
async def test_a_changed_entry_is_named(entries, differences, superuser, change):
    await superuser.execute(
        f"UPDATE inventory.count_entries SET {change} WHERE id = $1",  # noqa: S608 - constants.
        entries[1],
    )

    assert await differences() == {("count_entry_differs", str(entries[1]))}


async def test_a_removed_entry_is_named(entries, differences, superuser):
    await superuser.execute("DELETE FROM inventory.count_entries WHERE id = $1", entries[1])

    assert await differences() == {("count_entry_missing", str(entries[1]))}


async def test_an_inserted_entry_is_named(entries, differences, superuser, caller):
    inserted = await superuser.fetchval(COPY, caller.tenant_id)

    assert await differences() == {("count_entry_unjournaled", str(inserted))}


async def test_another_id_is_one_missing_and_one_more(entries, differences, superuser):
    await superuser.execute(
        "UPDATE inventory.count_entries SET id = $2 WHERE id = $1", entries[0], UUID(int=7)
    )

    assert await differences() == {
        ("count_entry_missing", str(entries[0])),
        ("count_entry_unjournaled", str(UUID(int=7))),
    }


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("""'{"digest": "00"}'""", "count_call_differs"),
        ("""'{"proofs": "?"}'""", "entry_unreadable"),
        ("""'{"count_id": "x"}'""", "entry_unreadable"),
    ],
)
async def test_a_changed_entry_of_the_journal_is_named(
    entries, differences, superuser, caller, change, kind
):
    await superuser.execute(
        f"UPDATE inventory.journal SET data = (data::jsonb || {change})::json "  # noqa: S608 - constants.
        "WHERE tenant_id = $1 AND type = 'inventory.count-entered.v1' AND data ->> 'entries' = '2'",
        caller.tenant_id,
    )

    assert (kind, None) in await differences()


async def test_of_what_was_entered_before_there_were_proofs_nothing_is_told(
    entries, differences, superuser, caller
):
    await superuser.execute(
        "UPDATE inventory.journal SET data = (data::jsonb - 'proofs')::json "
        "WHERE tenant_id = $1 AND type = 'inventory.count-entered.v1' AND data ->> 'entries' = '2'",
        caller.tenant_id,
    )

    assert await differences() == set()
