"""Kits of too many levels, of too large numbers, and beside freezes."""

import asyncio

import pytest

from services.inventory.kits.errors import AssemblyInexact, KitTooDeep
from services.inventory.kits.rules import LEVELS_MAX
from services.inventory.ledger.errors import InsufficientStock
from tests.support.services import assert_problem
from tests.support.waiting import until_blocked_by

pytestmark = pytest.mark.stack

PATH = "/api/inventory/kits"


async def test_kits_lie_within_kits_on_so_many_levels_and_no_more(send, make_kit, make_item, act):
    inner = "A1"
    for number in range(LEVELS_MAX):
        await make_item(f"D{number}")
        top = await make_kit(f"D{number}", **{inner: "1.2345"})
        inner = f"D{number}"
    over = {"item": "K1", "components": [{"item": inner, "quantity": 1}]}
    below = {"item": "A1", "components": [{"item": "B1", "quantity": 1}]}

    assert_problem(await send("POST", PATH, over), KitTooDeep, levels=LEVELS_MAX)
    assert_problem(await send("POST", PATH, below), KitTooDeep)
    assert_problem(await act(top, "99999999999999.9999", explode=True), AssemblyInexact)
    available = (await send("GET", f"{PATH}/{top['id']}/availability")).json()
    assert available["assemblable_in_steps"] == "1"  # 1.2345 to the power of 20 is 67.6.


async def test_what_would_take_or_cost_more_than_there_can_be_is_refused_or_not_known(
    send, make_kit, make_item, move, act
):
    most = "99999999999999.9999"
    any_amount = {"limits": [{"role": "admin", "amount": None}]}
    assert (await send("PUT", "/api/inventory/approvals/limits", any_amount)).status_code == 200
    await make_item("DEAR", unit_cost="999999999999.999999")
    await make_item("HEAP", unit_cost="0.000001")
    await move("receipt", most, item="DEAR")
    kit = await make_kit("K1", DEAR="5")
    heap = await make_kit("HEAP", K1=most)

    made = await act(kit, "1000")
    assert (made.status_code, made.json()["unit_cost"]) == (201, None)
    assert_problem(await act(heap, "10"), InsufficientStock, requested="999999999999999.999")
    assert_problem(await act(heap, "99999999999999", explode=True), InsufficientStock)
    apart = await act(kit, "1", "disassemble")
    assert apart.status_code == 201
    assert (await send("GET", "/api/inventory/verify")).json()["ok"]


async def test_an_assembly_holds_no_kit_while_it_waits_for_a_freeze(
    databases, other, caller, make_kit, act
):
    """Else who replaces the kit waits for it, holding what the freeze waits for."""
    kit = await make_kit()
    tenant = str(caller.tenant_id)

    async with other.transaction():
        await other.execute("SELECT inventory.wait_lock($1 || ' freezes')", tenant)
        assembling = asyncio.create_task(act(kit, "1"))
        await until_blocked_by(databases, other)
        await other.execute(
            "SELECT FROM inventory.kits WHERE item_id = $1 FOR UPDATE NOWAIT", kit["id"]
        )

    assert (await assembling).status_code == 201
