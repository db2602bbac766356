"""What the database's owner did to stock, ledger and prices, in real SQL, and what is named."""

import asyncio

import pytest

from services.inventory.resources import open_service
from shared.journal import checkpoint
from tests.support.waiting import PATIENCE_S

pytestmark = [pytest.mark.stack, pytest.mark.asvs("F06")]
URL = "/api/inventory/verify"


@pytest.fixture
async def rows(make_location, make_item, move, client, caller, superuser):
    """Three movements of one item, whose cost was set twice; gives their ids in order."""
    await make_location("Main")
    item = await make_item("A1", unit_cost="2.50", price="4")
    await move("receipt", 10, unit_cost="2.75")
    await move("issue", 3)
    await move("receipt", 5)
    answer = await client.patch(
        f"/api/inventory/{item['id']}",
        json={"unit_cost": "3.00"},
        headers=caller.headers() | {"If-Match": f'"{item["version"]}"'},
    )
    assert answer.status_code == 200, answer.text
    found = await superuser.fetch(
        "SELECT id, item_id FROM inventory.movements WHERE tenant_id = $1 ORDER BY seq",
        caller.tenant_id,
    )
    return [row["id"] for row in found]


@pytest.fixture
def verify(client, caller):
    async def ask(**query):
        answer = await client.get(URL, params=query, headers=caller.headers())
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ask


@pytest.fixture
def differences(verify):
    async def ask():
        found = await verify()
        assert not found["ok"]
        return {(one["kind"], one["movement_id"]) for one in found["differences"]}

    return ask


async def test_what_nobody_touched_verifies(rows, verify):
    found = await verify()

    assert found["ok"], found
    assert found["checked"] == {
        "levels": 1, "movements": 3, "entries": 3, "archived_movements": 0,
    }  # fmt: skip
    assert found["journal"]["ok"]


@pytest.mark.parametrize(
    "change",
    [
        "recorded_at = recorded_at - interval '1 second'",
        "occurred_at = occurred_at - interval '1 second'",
        "reason = 'because'",
        "reference = 'PO-1'",
        "actor = 'user:x'",
        "kind = 'adjustment'",
        "cost_id = gen_random_uuid()",
        "given_quantity = 3, given_unit = 'box'",
        "lot_id = gen_random_uuid()",
        "backdated = NOT backdated",
    ],
)
async def test_a_changed_ledger_row_is_named(rows, differences, superuser, change):
    await superuser.execute(f"UPDATE inventory.movements SET {change} WHERE id = $1", rows[1])  # noqa: S608 - constants.

    assert ("entry_differs", str(rows[1])) in await differences()


async def test_a_changed_quantity_is_named_though_all_sums_agree(
    rows, differences, superuser, caller
):
    await superuser.execute(
        "UPDATE inventory.movements SET quantity = 9, balance_after = 9 WHERE id = $1", rows[0]
    )
    await superuser.execute(
        "UPDATE inventory.movements SET balance_after = balance_after - 1 WHERE id = ANY($1)",
        rows[1:],
    )
    await superuser.execute(
        "UPDATE inventory.levels SET on_hand = on_hand - 1 WHERE tenant_id = $1", caller.tenant_id
    )

    assert await differences() == {("entry_differs", str(row)) for row in rows}


async def test_a_removed_ledger_row_is_named_though_the_level_agrees(
    rows, differences, superuser, caller
):
    await superuser.execute("DELETE FROM inventory.movements WHERE id = $1", rows[2])
    await superuser.execute(
        "UPDATE inventory.levels SET on_hand = 7 WHERE tenant_id = $1", caller.tenant_id
    )

    assert ("movement_missing", str(rows[2])) in await differences()


@pytest.mark.parametrize("own_id", [True, False])
async def test_an_inserted_ledger_row_is_named_though_the_level_agrees(
    rows, differences, superuser, caller, own_id
):
    inserted = await superuser.fetchval(
        """INSERT INTO inventory.movements (id, leg, tenant_id, kind, item_id, location_id, lot_id,
               quantity, balance_after, actor, occurred_at, recorded_at)
           SELECT CASE WHEN $2 THEN gen_random_uuid() ELSE id END, leg, tenant_id, kind, item_id,
               location_id, lot_id, quantity, balance_after + quantity, actor, occurred_at,
               recorded_at
           FROM inventory.movements WHERE id = $1 RETURNING id""",
        rows[2],
        own_id,
    )
    await superuser.execute(
        "UPDATE inventory.levels SET on_hand = 17 WHERE tenant_id = $1", caller.tenant_id
    )

    kind = "entry_missing" if own_id else "movement_twice"
    assert (kind, str(inserted)) in await differences()


@pytest.mark.parametrize("column", ["cost_id", "price_id"])
async def test_an_item_that_points_at_another_price_is_named(
    rows, verify, superuser, caller, column
):
    """At the cost of before, at none, or at a price that is none of its own."""
    for other in (
        "(SELECT id FROM inventory.prices p WHERE p.item_id = i.id ORDER BY recorded_at LIMIT 1)",
        "NULL",
        "gen_random_uuid()",
    ):
        await superuser.execute(
            f"UPDATE inventory.items i SET {column} = {other} WHERE tenant_id = $1",  # noqa: S608 - constants.
            caller.tenant_id,
        )

        found = await verify()

        assert [one["kind"] for one in found["differences"]] == ["price_in_force"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE inventory.prices SET amount = amount || '\\x00' WHERE id = $1",
        "UPDATE inventory.prices SET kind = 'price' WHERE id = $1",
        "DELETE FROM inventory.prices WHERE id = $1",
    ],
)
@pytest.mark.parametrize("source", ["item", "receipt"])
async def test_a_price_changed_or_removed_is_named(rows, verify, superuser, caller, change, source):
    price = await superuser.fetchval(
        "SELECT id FROM inventory.prices WHERE tenant_id = $1 AND source = $2 AND kind = 'cost'",
        caller.tenant_id,
        source,
    )
    await superuser.execute(change, price)

    found = await verify()

    assert [(one["kind"], one["price_id"]) for one in found["differences"]] == [
        ("price", str(price))
    ]


async def test_ledger_and_entry_changed_alike_break_the_chain(
    rows, verify, superuser, caller, inventory_settings
):
    """Levels, ledger and journal agree with one another, not with what was sealed."""
    resources = open_service(inventory_settings)
    async with asyncio.timeout(PATIENCE_S):
        while await superuser.fetchval(_UNSEALED, caller.tenant_id):
            await checkpoint.seal(resources.database, resources.signing_key)
    entry = await superuser.fetchrow(
        """UPDATE inventory.journal SET actor = 'user:x'
           WHERE tenant_id = $1 AND data ->> 'movement_id' = $2 RETURNING seq, id""",
        caller.tenant_id,
        str(rows[1]),
    )
    before = await superuser.fetchval(
        "SELECT actor FROM inventory.movements WHERE id = $1", rows[1]
    )
    await superuser.execute(
        "UPDATE inventory.movements SET actor = 'user:x' WHERE id = $1", rows[1]
    )

    found = await verify()
    await resources.close()
    await superuser.execute(
        "UPDATE inventory.journal SET actor = $1 WHERE seq = $2", before, entry["seq"]
    )

    assert (found["ok"], found["differences"]) == (False, [])
    difference = found["journal"]["first_difference"]
    assert (difference["kind"], difference["entry_id"]) == ("changed", str(entry["id"]))


async def test_a_price_entry_that_cannot_be_read_is_named(rows, verify, superuser, caller):
    seq = await superuser.fetchval(
        """UPDATE inventory.journal SET data = '{"price_id": "none"}'
           WHERE seq = (SELECT min(seq) FROM inventory.journal
                        WHERE tenant_id = $1 AND type = 'inventory.price-set.v1') RETURNING seq""",
        caller.tenant_id,
    )

    found = await verify()

    assert ("entry_unreadable", seq) in {
        (one["kind"], one["journal_seq"]) for one in found["differences"]
    }


_UNSEALED = """
    SELECT count(*) FROM inventory.journal WHERE tenant_id = $1 AND (xid, seq) >
        coalesce((SELECT (upto_xid, upto_seq) FROM inventory.checkpoints
                  ORDER BY number DESC LIMIT 1), ('0'::xid8, 0::bigint))"""
