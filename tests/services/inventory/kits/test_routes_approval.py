"""Taking kits apart by another definition than they were made by is no way to better stock."""

import pytest

from services.inventory.approvals.errors import ApprovalClosed
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack
PATH = "/api/inventory/kits"


@pytest.fixture
def clerk(caller):
    return Caller(caller.tenant_id, scopes={"inventory:read", "stock:write"}, role="clerk")


@pytest.fixture
async def kit(make_item, move, make_kit, act):
    """A hundred kits, made of 2 A1 and half a B1 each, at 4.25; G1 costs 100."""
    await make_item("G1", unit_cost="100")
    await move("receipt", 1, item="G1")
    await move("receipt", 900, item="A1")
    kit = await make_kit()
    made = await act(kit, 100)
    assert made.status_code == 201, made.text
    return kit


@pytest.fixture
def redefine(send, kit):
    async def put(**components):
        parts = [{"item": code, "quantity": part} for code, part in components.items()]
        answer = await send("PUT", f"{PATH}/{kit['id']}", {"components": parts})
        assert answer.status_code == 200, answer.text

    return put


@pytest.fixture
def approve(send, clerk):
    async def post(asked, who=None):
        path = f"/api/inventory/approvals/{asked.json()['id']}/approve"
        return await send("POST", path, None, who)

    return post


async def test_by_the_same_definition_nothing_is_weighed(kit, act, clerk, on_hand):
    assert (await act(kit, 100, "disassemble", clerk)).status_code == 201
    assert await on_hand("K1", "A1", "B1") == [0, 1000, 100]


async def test_by_another_one_it_waits_for_somebody_else(
    kit, redefine, act, clerk, approve, on_hand, send
):
    await redefine(G1="1")
    within = await act(kit, 10, "disassemble", clerk)
    asked = await act(kit, 1, "disassemble", clerk, reason="Wanted.")

    assert within.status_code == 201, within.text
    assert asked.status_code == 202, asked.text
    assert (asked.json()["kind"], asked.json()["cause"]) == ("assembly", "day")
    assert await on_hand("K1", "G1") == [90, 11]
    given = await approve(asked)
    assert given.status_code == 200, given.text
    assert await on_hand("K1", "G1") == [89, 12]
    listed = (await send("GET", "/api/inventory/movements?kind=disassembly&limit=2")).json()
    assert {row["actor"] for row in listed["items"]} == {f"user:{clerk.id}"}
    verified = (await send("GET", "/api/inventory/verify")).json()
    assert verified["ok"], verified["differences"]


async def test_what_is_worth_less_is_weighed_too(kit, redefine, act, clerk, make_item):
    await make_item("S1", unit_cost="0.01")
    await redefine(S1="1")
    made = await act(kit, 100, "disassemble", clerk)

    assert made.status_code == 201, made.text  # 424 is within the limit.


async def test_kits_of_components_without_a_cost_bring_no_value_alone(
    make_item, move, make_kit, act, clerk, approve, on_hand
):
    await make_item("N1")
    await make_item("K2", unit_cost="50")
    await move("receipt", 100, item="N1")
    kit = await make_kit("K2", N1="1")

    assert (await act(kit, 20, "assemble", clerk)).status_code == 201
    asked = await act(kit, 1, "assemble", clerk)
    assert asked.status_code == 202, asked.text
    assert (await approve(asked)).status_code == 200
    assert await on_hand("K2", "N1") == [21, 79]


async def test_what_is_made_of_something_else_by_now_is_stale(
    kit, redefine, act, clerk, approve, on_hand, send
):
    await redefine(G1="1")
    first = await act(kit, 30, "disassemble", clerk)
    await redefine(G1="2")
    second = await act(kit, 30, "disassemble", clerk)
    assert [first.status_code, second.status_code] == [202, 202]
    assert_problem(await approve(first), ApprovalClosed, state="stale")
    assert (await send("DELETE", f"{PATH}/{kit['id']}")).status_code == 204
    assert_problem(await approve(second), ApprovalClosed, state="stale")
    assert await on_hand("K1", "G1") == [100, 1]


async def test_refusals_come_before_approvals_and_a_dry_run_opens_none(
    kit, redefine, act, clerk, send
):
    await redefine(G1="1")
    short = await act(kit, 101, "disassemble", clerk)
    body = {"quantity": 30, "location": "Main"}
    tried = await send("POST", f"{PATH}/{kit['id']}/disassemble?dry_run=true", body, clerk)

    assert short.status_code == 409, short.text
    assert tried.status_code == 202, tried.text
    assert (await send("GET", "/api/inventory/approvals")).json()["items"] == []
