"""One open approval of the same: asked again it is told again, and what it hangs on closes it."""

import asyncio
from uuid import UUID

import pytest

from services.inventory.approvals.errors import ApprovalClosed, ApprovalStale
from tests.support.services import Caller, assert_problem

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("stock")]

PATH = "/api/inventory/approvals"
LOST = {"kind": "write_off", "item": "A1", "location": "Main", "reason_code": "lost"}


@pytest.fixture
def list_open(send):
    async def read():
        found = (await send("GET", f"{PATH}?state=open")).json()["items"]
        return [each["id"] for each in found]

    return read


@pytest.fixture
def journaled(other, caller):
    """What was journaled of approvals, in order: names and causes."""

    async def read():
        rows = await other.fetch(
            "SELECT type, data->>'cause' FROM inventory.journal WHERE tenant_id = $1 "
            "AND type LIKE 'inventory.approval-%' ORDER BY seq",
            caller.tenant_id,
        )
        return [(name.split(".")[1], cause) for name, cause in rows]

    return read


async def test_the_same_asked_again_is_the_same_approval(write_off, list_open, ask):
    first = await write_off(150, reference="Fire 12", key="one")
    again = await write_off(150, reference="Fire 12", key="two")
    another = await ask(150, reference="Fire 13")

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json()["id"] == first.json()["id"] != another["id"]
    assert "since" in again.json()["message"]
    assert await list_open() == [another["id"], first.json()["id"]]


async def test_of_the_same_asked_at_once_one_is_opened(write_off, list_open):
    answers = await asyncio.gather(*(write_off(150) for _ in range(8)))

    assert {answer.status_code for answer in answers} == {202}
    assert [{answer.json()["id"] for answer in answers}] == [set(await list_open())]
    assert len(await list_open()) == 1


async def test_another_person_or_another_count_asks_for_something_else(
    ask, boss, list_open, write_off, move
):
    ids = [(await ask(150))["id"], (await ask(150, boss))["id"]]
    ids.append((await ask(700, kind="count_correction"))["id"])
    await move("issue", 30)
    ids.append((await ask(700, kind="count_correction"))["id"])

    assert await list_open() == ids[::-1]


async def test_once_it_is_decided_or_over_the_same_is_asked_for_anew(
    ask, approve, send, clerk, other, list_open, journaled
):
    done, gone, over = [await ask(101, reference=name) for name in ("done", "gone", "over")]
    await approve(done)
    await send("POST", f"{PATH}/{gone['id']}/withdraw", {}, clerk)
    await other.execute(
        "UPDATE inventory.approvals SET expires_at = now() WHERE id = $1", UUID(over["id"])
    )

    anew = [(await ask(101, reference=name))["id"] for name in ("done", "gone", "over")]

    assert not {each["id"] for each in (done, gone, over)} & set(anew)
    assert await list_open() == anew[::-1]
    assert ("approval-lapsed", None) in await journaled()


async def test_lines_that_are_the_same_in_one_call_wait_each_and_sent_again_are_those(
    send, clerk, list_open
):
    body = {"mode": "each", "lines": [LOST | {"quantity": 150}] * 2}
    path = "/api/inventory/movements/bulk"
    sent = [await send("POST", path, body, clerk) for _ in range(2)]
    assert [answer.status_code for answer in sent] == [201, 201], sent[1].text
    calls = [answer.json()["results"] for answer in sent]

    first, again = [[line["approval"] for line in lines] for lines in calls]
    assert first == again
    assert len(set(first)) == 2
    assert set(await list_open()) == set(first)
    assert "Nothing has changed yet" in calls[0][0]["message"]
    assert "since" in calls[1][0]["message"]


async def test_what_waits_is_told_in_words_and_where_it_is_read(write_off, send, clerk):
    english = await write_off(150, key="once")
    replayed = await write_off(150, key="once")
    french = await write_off(150, query="?lang=fr")
    tried = await write_off(151, query="?dry_run=true")

    where = f"{PATH}/{english.json()['id']}"
    assert english.headers["location"] == replayed.headers["location"] == where
    assert french.headers["location"] == where
    assert "location" not in tried.headers
    assert replayed.json() == english.json()
    assert "somebody else approves it, until " in english.json()["message"]
    assert " UTC." in english.json()["message"]
    assert "avant le " in french.json()["message"]
    assert (await send("GET", where, None, clerk)).json()["state"] == "open"


async def count_short(send, of=700):
    """Open a count of A1 at Main that found so much, post it, and return both answers."""
    path = "/api/inventory/counts"
    count = (await send("POST", path, {"locations": ["Main"]})).json()
    line = {"item": "A1", "location": "Main", "quantity": of}
    await send("PUT", f"{path}/{count['id']}/lines", {"lines": [line]})
    asked = await send("POST", f"{path}/{count['id']}/post", {})
    assert asked.status_code == 202, asked.text
    return f"{path}/{count['id']}", asked


async def test_a_count_posted_again_waits_for_the_same_approval(send, list_open):
    path, asked = await count_short(send)
    again = await send("POST", f"{path}/post", {}, **{"Idempotency-Key": "another"})
    other = await send("POST", f"{path}/post", {"accept_beyond_tolerance": True})

    assert asked.headers["location"] == f"{PATH}/{asked.json()['id']}"
    assert again.json()["id"] == asked.json()["id"]
    assert await list_open() == [other.json()["id"]]
    closed = (await send("GET", asked.headers["location"])).json()
    assert (closed["state"], closed["stale_cause"]) == ("stale", "replaced")


@pytest.mark.parametrize(
    ("act", "cause"), [("cancel", "over"), ("recount", "content"), ("lines", "content")]
)
async def test_what_becomes_of_a_count_closes_what_it_waits_for(
    send, list_open, boss, approve, journaled, act, cause
):
    path, asked = await count_short(send)
    line = {"item": "A1", "location": "Main", "quantity": 701}
    bodies = {"cancel": {}, "recount": {"lines": [1]}, "lines": {"lines": [line]}}

    method = "PUT" if act == "lines" else "POST"
    assert (await send(method, f"{path}/{act}", bodies[act])).status_code == 200

    assert await list_open() == []
    assert_problem(await approve(asked.json(), boss), ApprovalClosed, state="stale")
    closed = (await send("GET", asked.headers["location"])).json()
    assert (closed["state"], closed["stale_cause"]) == ("stale", cause)
    assert (await journaled())[-1] == ("approval-overtaken", cause)


async def test_a_count_posted_by_one_approval_closes_that_of_another_person(
    send, boss, approve, list_open
):
    path, asked = await count_short(send)
    another = await send("POST", f"{path}/post", {}, boss)
    assert set(await list_open()) == {asked.json()["id"], another.json()["id"]}

    assert (await approve(asked.json(), boss)).status_code == 200

    assert await list_open() == []
    closed = (await send("GET", another.headers["location"])).json()
    assert (closed["state"], closed["stale_cause"]) == ("stale", "over")


async def test_a_count_cancelled_while_it_is_approved_is_one_or_the_other(send, caller, approve):
    for _ in range(5):
        path, asked = await count_short(send, 800)
        done, cancelled = await asyncio.gather(
            approve(asked.json(), Caller(caller.tenant_id)), send("POST", f"{path}/cancel", {})
        )

        assert sorted([done.status_code, cancelled.status_code]) == [200, 409]
        state = (await send("GET", asked.headers["location"])).json()["state"]
        assert state == ("approved" if done.is_success else "stale")
        if done.is_success:
            line = {"kind": "receipt", "item": "A1", "location": "Main", "quantity": 200}
            await send("POST", "/api/inventory/movements", line)


async def test_a_movement_undone_closes_what_waits_to_undo_it(send, ask, approve, boss, list_open):
    [done] = (await approve(await ask(150))).json()["movements"]
    path, why = f"/api/inventory/movements/{done}/reverse", {"reason": "found"}
    asked = [await send("POST", path, why, who) for who in (None, Caller(boss.tenant_id))]
    assert [each.status_code for each in asked] == [202, 202]
    assert asked[0].headers["location"] == f"{PATH}/{asked[0].json()['id']}"

    assert (await approve(asked[0].json(), boss)).status_code == 200

    assert await list_open() == []
    closed = (await send("GET", asked[1].headers["location"])).json()
    assert (closed["state"], closed["stale_cause"]) == ("stale", "over")


async def test_a_stale_one_says_why_when_it_is_read(send, ask, approve, write_off):
    asked = await ask(150)
    await write_off(1000, kind="count_correction")

    assert_problem(await approve(asked), ApprovalStale, cause="counted")
    closed = (await send("GET", f"{PATH}/{asked['id']}")).json()
    assert closed["stale_cause"] == "counted"
