"""A difference worth more than one may change alone: somebody else agrees to it, or it waits."""

import pytest

from services.inventory.approvals.errors import (
    ApprovalClosed,
    ApprovalNotFound,
    OwnApproval,
)
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack

PATH = "/api/inventory/transfers"
APPROVALS = "/api/inventory/approvals"


@pytest.fixture
def clerk(caller):
    return Caller(caller.tenant_id, scopes={"inventory:read", "stock:write"}, role="clerk")


@pytest.fixture
def send(client, caller):
    async def request(method, path, body=None, who=None, **headers):
        sent = (who or caller).headers(**headers)
        return await client.request(method, path, json=body, headers=sent)

    return request


@pytest.fixture
async def transfer(send, clerk, make_location, make_item, move):
    """Three hundred units under way, at 10 each: of them 100 may be lost by one alone."""
    await make_location("Main")
    await make_location("Shop")
    await make_location("On the road", "transit")
    await make_item("A1", unit_cost="10")
    await move("receipt", 1000)
    body = {"item": "A1", "location": "Main", "to_location": "Shop", "quantity": 300}
    sent = await send("POST", PATH, body, clerk)
    assert sent.status_code == 201, sent.text
    return sent.json()["id"]


@pytest.fixture
def receive(send, clerk, transfer):
    async def post(quantity, **more):
        body = {"quantity": quantity} | more
        return await send("POST", f"{PATH}/{transfer}/receive", body, clerk)

    return post


@pytest.fixture
def approve(send):
    async def post(approval, who=None):
        path = f"/api/inventory/approvals/{approval.json()['id']}/approve"
        return await send("POST", path, None, who)

    return post


@pytest.fixture
def stock(send):
    async def read():
        found = (await send("GET", "/api/inventory/lookup/A1")).json()
        return {row["location"]: int(row["on_hand"]) for row in found["stock"]}

    return read


async def assert_verified(send):
    verified = (await send("GET", "/api/inventory/verify")).json()
    assert verified["ok"], verified["differences"]


async def test_a_difference_within_the_limit_is_settled_at_once(receive, stock):
    assert (await receive(200, final=True)).status_code == 200
    assert await stock() == {"Main": 700, "Shop": 200}


async def test_a_larger_one_waits_whole_and_is_settled_once_somebody_else_agrees(
    send, transfer, receive, approve, stock, clerk
):
    asked = await receive(199, final=True, reason="The truck was open.")

    assert asked.status_code == 202, asked.text
    assert (asked.json()["kind"], asked.json()["cause"]) == ("receipt", "value")
    assert await stock() == {"Main": 700, "On the road": 300}
    approver = Caller(clerk.tenant_id, id=clerk.id)
    assert_problem(await approve(asked, approver), OwnApproval)

    given = await approve(asked)

    assert given.status_code == 200, given.text
    assert await stock() == {"Main": 700, "Shop": 199}
    read = (await send("GET", f"{PATH}/{transfer}")).json()
    assert (read["state"], read["received"], read["difference"]) == ("received", "199", "-101")
    assert (read["received_by"], read["reason"]) == (f"user:{clerk.id}", "The truck was open.")
    rows = (await send("GET", "/api/inventory/movements?kind=write_off")).json()["items"]
    assert [(row["actor"], row["quantity"]) for row in rows] == [(f"user:{clerk.id}", "101")]
    assert_problem(await approve(asked), ApprovalClosed)
    await assert_verified(send)


async def test_what_is_more_than_was_sent_is_weighed_too(receive, approve, stock):
    asked = await receive(401, over_received=True)

    assert asked.status_code == 202, asked.text
    assert (await approve(asked)).status_code == 200
    assert await stock() == {"Main": 700, "Shop": 401}


async def test_what_arrived_is_there_at_once_without_the_difference_which_is_asked_for_anew(
    send, receive, approve, stock
):
    early = await receive(100, final=True)
    assert early.status_code == 202

    assert (await receive(150)).status_code == 200
    assert await stock() == {"Main": 700, "Shop": 150, "On the road": 150}
    assert_problem(await approve(early), ApprovalClosed, state="stale")
    assert await stock() == {"Main": 700, "Shop": 150, "On the road": 150}

    asked = await receive(0, final=True)
    assert asked.status_code == 202, asked.text
    assert (await approve(asked)).status_code == 200
    assert await stock() == {"Main": 700, "Shop": 150}
    await assert_verified(send)


async def test_an_approval_of_what_was_received_meanwhile_is_stale(receive, approve, stock):
    asked = await receive(0, final=True)
    assert asked.status_code == 202
    assert (await receive(300)).status_code == 200

    assert_problem(await approve(asked), ApprovalClosed, state="stale")
    assert await stock() == {"Main": 700, "Shop": 300}


async def test_a_dry_run_says_that_it_would_wait_and_opens_nothing(send, transfer, clerk):
    path = f"{PATH}/{transfer}/receive?dry_run=true"

    tried = await send("POST", path, {"quantity": 0, "final": True}, clerk)

    assert tried.status_code == 202, tried.text
    assert (await send("GET", "/api/inventory/approvals")).json()["items"] == []


@pytest.fixture
async def limited(send, clerk):
    """Return somebody like the clerk, limited to a location."""
    places = (await send("GET", "/api/locations")).json()["items"]
    ids = {place["name"]: place["id"] for place in places}

    def make(name, *more_scopes):
        scopes = clerk.scopes | set(more_scopes)
        return Caller(clerk.tenant_id, scopes=scopes, role="clerk", locations=[ids[name]])

    return make


@pytest.fixture
async def asked(send, transfer, limited):
    """Half of a transfer was lost, says somebody who knows its goal alone."""
    who = limited("Shop")
    body = {"quantity": 150, "final": True}
    answer = await send("POST", f"{PATH}/{transfer}/receive", body, who)
    assert answer.status_code == 202, answer.text
    return who, answer.json()


async def test_who_knows_the_goal_alone_reads_and_takes_back_what_he_asked_for(send, asked):
    who, approval = asked
    path = f"{APPROVALS}/{approval['id']}"

    read = (await send("GET", path, None, who)).json()
    listed = (await send("GET", f"{APPROVALS}?location=Shop", None, who)).json()["items"]
    hidden = await send("GET", f"{APPROVALS}?location=On the road", None, who)
    withdrawn = await send("POST", f"{path}/withdraw", {}, who)

    lines = [(line["change"], line["location"], line["on_hand"]) for line in read["lines"]]
    assert lines == [("-150", None, None)] * 2
    assert "On the road" not in str(read)
    assert [each["id"] for each in listed] == [approval["id"]]
    assert hidden.json()["items"] == []
    assert withdrawn.json()["state"] == "withdrawn", withdrawn.text


@pytest.mark.parametrize(("decision", "body"), [("approve", None), ("reject", {"reason": "Look."})])
async def test_who_knows_the_goal_alone_decides(send, asked, limited, stock, decision, body):
    path = f"{APPROVALS}/{asked[1]['id']}/{decision}"

    decided = await send("POST", path, body, limited("Shop", "price:approve"))

    assert decided.status_code == 200, decided.text
    left = {"Shop": 150} if decision == "approve" else {"On the road": 300}
    assert await stock() == {"Main": 700} | left
    await assert_verified(send)


async def test_who_knows_the_start_or_the_way_alone_neither_sees_nor_decides(send, asked, limited):
    path = f"{APPROVALS}/{asked[1]['id']}"
    for name in ("Main", "On the road"):
        who = limited(name, "price:approve")
        assert (await send("GET", APPROVALS, None, who)).json()["items"] == []
        assert_problem(await send("GET", path, None, who), ApprovalNotFound)
        assert_problem(await send("POST", f"{path}/approve", None, who), ApprovalNotFound)
        assert_problem(
            await send("POST", f"{path}/reject", {"reason": "No."}, who), ApprovalNotFound
        )
