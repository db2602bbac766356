"""Kits of too many levels, of too large numbers, and beside freezes."""

import asyncio

import pytest

from services.inventory.kits.errors import AssemblyInexact, KitTooDeep
from services.inventory.kits.rules import LEVELS_MAX
from services.inventory.ledger.errors import InsufficientStock
from tests.support.services import assert_problem

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
    assert available["assemblable"] == "1"  # 1.2345 to the power of 20 is 67.6.


async def test_what_would_take_or_cost_more_than_there_can_be_is_refused_or_not_known(
    send, make_kit, make_item, move, act
):
    most = "99999999999999.9999"
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


async def freeze_and_lift(send):
    body = {"scope": "item", "item": "K1", "reason": "Recall"}
    made = await send("POST", "/api/inventory/freezes", body)
    return made, await send("DELETE", f"/api/inventory/freezes/{made.json()['id']}")


async def test_assembling_replacing_and_freezing_at_once_wait_for_no_circle(send, make_kit, act):
    kit = await make_kit()
    body = {"components": [{"item": "B1", "quantity": "1"}]}

    async def freeze():
        return [answer for _ in range(4) for answer in await freeze_and_lift(send)]

    async def assemble():
        return [await act(kit, "1") for _ in range(4)]

    async def replace():
        return [await send("PUT", f"{PATH}/{kit['id']}", body) for _ in range(4)]

    acts = (freeze, assemble, assemble, replace, replace)
    answers = await asyncio.gather(*(each() for each in acts))

    assert {answer.status_code for each in answers for answer in each} <= {200, 201, 204, 423}
