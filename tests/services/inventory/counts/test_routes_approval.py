"""A count worth more than one may change alone: somebody else agrees, to what was counted."""

import asyncio

import pytest

from services.inventory.approvals.errors import ApprovalClosed, OwnApproval
from services.inventory.counts.errors import CountClosed
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
async def stock(make_location, make_item, move):
    await make_location("Main")
    await make_item("A1", unit_cost="100")
    await make_item("B1", unit_cost="1")
    for item in ("A1", "B1"):
        assert (await move("receipt", 500, item)).status_code == 201


@pytest.fixture
def boss(caller):
    return Caller(caller.tenant_id)


@pytest.fixture
def approve(client):
    async def post(approval, by):
        path = f"/api/inventory/approvals/{approval['id']}/approve"
        return await client.post(path, json={}, headers=by.headers())

    return post


@pytest.fixture
async def asked(open_count, enter, send):
    """A count of which A1 is 200 short, which is worth 20,000, and the approval it waits for."""
    count = await open_count()
    lines = [{"item": item, "location": "Main", "quantity": "300"} for item in ("A1", "B1")]
    await enter(count, lines=lines)
    answer = await send("POST", f"/{count['id']}/post", {})
    assert answer.status_code == 202, answer.text
    return count, answer.json()


async def test_it_waits_for_somebody_else_and_is_posted_by_his_word(
    caller, boss, asked, approve, send, on_hand, move
):
    count, approval = asked
    assert await on_hand() == "500"
    await move("receipt", 7, "A1")
    own = await approve(approval, caller)
    approved = await approve(approval, boss)
    shown = (await send("GET", f"/{count['id']}")).json()

    assert (approval["kind"], approval["value"]) == ("count", "20200")
    assert_problem(own, OwnApproval)
    assert approved.status_code == 200, approved.text
    assert (shown["state"], shown["closed_by"]) == ("posted", f"user:{caller.id}")
    assert (await on_hand(), await on_hand("B1")) == ("307", "300")


async def test_what_is_entered_meanwhile_makes_it_stale(boss, asked, approve, enter, send, on_hand):
    count, approval = asked
    await enter(count, "301")
    stale = await approve(approval, boss)
    anew = await send("POST", f"/{count['id']}/post", {})
    approved = await approve(anew.json(), boss)

    assert_problem(stale, ApprovalClosed, state="stale")
    assert approved.status_code == 200, approved.text
    assert await on_hand() == "301"


async def test_it_is_posted_once_whoever_approves_and_cancels_meanwhile(
    caller, asked, approve, send, on_hand
):
    count, approval = asked
    others = [Caller(caller.tenant_id) for _ in range(5)]
    answers = await asyncio.gather(
        *(approve(approval, each) for each in others), send("POST", f"/{count['id']}/cancel", {})
    )
    again = await send("POST", f"/{count['id']}/post", {})

    assert [answer.status_code for answer in answers].count(200) == 1
    assert_problem(again, CountClosed)
    assert await on_hand() in {"300", "500"}


async def test_what_is_worth_less_is_posted_at_once(open_count, enter, send, on_hand):
    count = await open_count(items=["B1"])
    await enter(count, "300", item="B1")
    posted = await send("POST", f"/{count['id']}/post", {})

    assert (posted.status_code, posted.json()["state"]) == (200, "posted")
    assert await on_hand("B1") == "300"
