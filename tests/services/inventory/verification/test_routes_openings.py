"""What the database's owner did to openings, or to what they were made of, and what is named."""

import pytest

from tests.support.past import MONTHS

pytestmark = [pytest.mark.stack, pytest.mark.asvs("F06")]
JANUARY, FEBRUARY, _ = MONTHS
BALANCES, OPENINGS = "inventory.opening_balances", "inventory.openings"


@pytest.fixture
async def left(make_location, make_item, move, past):
    """Two months that left the ledger, and a movement of today; gives the item."""
    await make_location("Main")
    item = await make_item("A1")
    await move("receipt", 10)
    await past.age(JANUARY)
    await move("issue", 3)
    await past.age(FEBRUARY)
    await move("receipt", 5)
    await past.detach(JANUARY, FEBRUARY)
    return item


@pytest.fixture
def differences(client, caller):
    async def ask():
        answer = await client.get("/api/inventory/verify", headers=caller.headers())
        found = answer.json()
        return {(one["kind"], (one["occurred_at"] or "")[:7]) for one in found["differences"]}

    return ask


async def test_what_nobody_touched_verifies(left, differences):
    assert await differences() == set()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("quantity = 9", {"opening", "opening_balance", "level", "balance"}),
        ("movements = 2", {"opening", "opening_balance"}),
        ("first_at = first_at - interval '1 hour'", {"opening", "opening_balance"}),
        ("counted_at = last_at", {"opening"}),
        ("location_id = gen_random_uuid()",
         {"opening", "opening_balance", "level", "past", "balance"}),
    ],
)  # fmt: skip
async def test_a_changed_balance_is_named(left, differences, superuser, change, named):
    await superuser.execute(f"UPDATE {BALANCES} SET {change} WHERE month = $1", JANUARY)  # noqa: S608 - constants.

    found = await differences()

    assert {kind for kind, _ in found} == named
    assert ("opening", "2018-01") in found


@pytest.mark.parametrize("change", ["movements = 5", "since = since + interval '1 second'"])
async def test_a_changed_opening_is_named(left, differences, superuser, change):
    await superuser.execute(f"UPDATE {OPENINGS} SET {change} WHERE month = $1", FEBRUARY)  # noqa: S608 - constants.

    assert await differences() == {("opening", "2018-02")}


async def test_a_removed_balance_is_named(left, differences, superuser):
    await superuser.execute(f"DELETE FROM {BALANCES} WHERE month = $1", FEBRUARY)  # noqa: S608 - constants.

    found = await differences()

    assert {("opening", "2018-02"), ("opening_balance", "2018-02")} <= found


async def test_a_removed_opening_is_named_though_the_level_agrees(
    left, differences, superuser, caller
):
    await superuser.execute(f"DELETE FROM {BALANCES} WHERE month = $1", FEBRUARY)  # noqa: S608 - constants.
    await superuser.execute(f"DELETE FROM {OPENINGS} WHERE month = $1", FEBRUARY)  # noqa: S608 - constants.
    await superuser.execute(
        "UPDATE inventory.levels SET on_hand = 15 WHERE tenant_id = $1", caller.tenant_id
    )

    found = await differences()

    assert ("opening", "2018-02") in found
    assert ("movement_missing", "2018-02") in found


async def test_an_invented_opening_is_named_though_the_level_agrees(
    left, differences, superuser, caller
):
    await superuser.execute(
        f"INSERT INTO {OPENINGS} VALUES ($1, '2018-03-01', 1, '2018-04-01')",  # noqa: S608 - constants.
        caller.tenant_id,
    )
    await superuser.execute(
        f"""INSERT INTO {BALANCES} (tenant_id, month, item_id, location_id, lot_id, quantity,
                movements, first_at, last_at)
            SELECT tenant_id, '2018-03-01', item_id, location_id, lot_id, 4, 1, last_at, last_at
            FROM {BALANCES} WHERE month = $1""",  # noqa: S608 - constants.
        FEBRUARY,
    )
    await superuser.execute(
        "UPDATE inventory.levels SET on_hand = on_hand + 4 WHERE tenant_id = $1", caller.tenant_id
    )

    found = await differences()

    assert {("opening", "2018-03"), ("opening_balance", "2018-03")} <= found


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ('(data::jsonb || \'{"digest": "00"}\')::json', "opening"),
        ("(data::jsonb || '{\"movements\": 7}')::json", "opening"),
        ("(data::jsonb || '{\"month\": 1}')::json", "entry_unreadable"),
        ('(data::jsonb || \'{"since": "soon"}\')::json', "entry_unreadable"),
        ("'{}'::json", "opening"),
    ],
)
async def test_a_changed_entry_of_an_opening_is_named(
    left, differences, superuser, caller, data, kind
):
    await superuser.execute(
        f"UPDATE inventory.journal SET data = {data} WHERE tenant_id = $1 AND seq = ("  # noqa: S608 - constants.
        "SELECT min(seq) FROM inventory.journal WHERE tenant_id = $1 "
        "AND type = 'inventory.opening-recorded.v1')",
        caller.tenant_id,
    )

    assert kind in {each for each, _ in await differences()}


async def test_a_movement_whose_entry_was_changed_after_it_left_is_named(
    left, differences, superuser, caller
):
    await superuser.execute(
        """UPDATE inventory.journal SET data = (data::jsonb || '{"quantity": "11"}')::json
           WHERE tenant_id = $1 AND type = 'inventory.stock-moved.v1'
               AND recorded_at < '2018-02-01'""",
        caller.tenant_id,
    )

    assert await differences() == {("opening_balance", "2018-01")}


async def test_a_row_that_was_put_back_is_named(left, differences, superuser, caller):
    await superuser.execute(
        """INSERT INTO inventory.movements (id, tenant_id, kind, item_id, location_id, lot_id,
               quantity, balance_after, actor, occurred_at, recorded_at)
           SELECT gen_random_uuid(), tenant_id, 'receipt', item_id, location_id, lot_id, 2, 2,
               'user:x', '2018-01-20', '2018-01-20'
           FROM inventory.opening_balances WHERE month = '2018-01-01'"""
    )

    assert "entry_missing" in {kind for kind, _ in await differences()}
    await superuser.execute(
        "DELETE FROM inventory.movements WHERE tenant_id = $1", caller.tenant_id
    )
