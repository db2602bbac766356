"""Bulk calls and reversals: whose value is limited too."""

import pytest

from services.inventory.approvals.errors import ApprovalClosed, ApprovalNeeded, ApprovalStale
from services.inventory.ledger.errors import AlreadyReversed
from services.inventory.movements.errors import BulkRefused
from services.inventory.movements.service import bulk
from tests.support.services import Caller, assert_problem

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("stock")]

PATH = "/api/inventory/approvals"
LOST = {"kind": "write_off", "item": "A1", "location": "Main", "reason_code": "lost"}
COUNT = {"kind": "count_correction", "item": "A1", "location": "Main"}
ISSUE = {"kind": "issue", "item": "A1", "location": "Main"}


@pytest.fixture
def send_lines(send, clerk):
    async def post(*lines, mode="each", who=None, query=""):
        path, body = f"/api/inventory/movements/bulk{query}", {"mode": mode, "lines": lines}
        return await send("POST", path, body, who or clerk)

    return post


@pytest.fixture
def on_hand(send):
    async def read(place="Main"):
        found = (await send("GET", "/api/inventory/lookup/A1")).json()
        return next(each["on_hand"] for each in found["stock"] if each["location"] == place)

    return read


async def test_line_by_line_each_heavy_one_waits_and_the_others_are_done(
    send_lines, approve, on_hand, send
):
    answer = await send_lines(
        LOST | {"quantity": 40}, LOST | {"quantity": 950}, ISSUE | {"quantity": 60},
        LOST | {"quantity": 2000}, LOST | {"quantity": 61}, LOST | {"quantity": 60},
    )  # fmt: skip

    assert answer.status_code == 201
    told = answer.json()
    assert (told["applied"], told["refused"], told["waiting"]) == (3, 1, 2)
    statuses = [each["status"] for each in told["results"]]
    assert statuses == [
        "applied", "approval_needed", "applied", "refused", "approval_needed", "applied",
    ]  # fmt: skip
    causes = {
        each["line"]: (await send("GET", f"{PATH}/{each['approval']}")).json()["cause"]
        for each in told["results"]
        if each["approval"]
    }
    assert causes == {1: "value", 4: "day"}
    assert await on_hand() == "840"
    assert (await approve({"id": told["results"][4]["approval"]})).status_code == 200
    assert await on_hand() == "779"


async def test_a_count_after_what_waits_counts_what_lies_there_without_it(send_lines, on_hand):
    answer = await send_lines(LOST | {"quantity": 500}, COUNT | {"quantity": 1000})

    statuses = [each["status"] for each in answer.json()["results"]]
    assert statuses == ["approval_needed", "applied"]
    assert await on_hand() == "1000"


async def test_one_call_opens_no_more_approvals_than_it_may(send_lines, monkeypatch):
    monkeypatch.setattr(bulk, "APPROVALS_MAX", 2)

    answer = await send_lines(*[LOST | {"quantity": 101}] * 4)

    results = answer.json()["results"]
    assert [each["status"] for each in results] == ["approval_needed"] * 2 + ["refused"] * 2
    assert {each["code"] for each in results[2:]} == {"approval_needed"}
    assert results[3]["message"] == ApprovalNeeded().detail_in("en")


async def test_an_atomic_call_of_corrections_waits_as_one_by_their_sum(
    send_lines, approve, on_hand, send
):
    light = await send_lines(LOST | {"quantity": 40}, COUNT | {"quantity": 1000}, mode="atomic")
    assert light.status_code == 201
    lines = [
        LOST | {"quantity": 30},
        {"kind": "adjustment", "direction": "in", "reason": "found", "item": "A1",
         "location": "Annex", "quantity": 30},
        COUNT | {"quantity": 929},
    ]  # fmt: skip

    waiting = await send_lines(*lines, mode="atomic")

    assert waiting.status_code == 202, waiting.text
    assert (waiting.json()["line_count"], waiting.json()["state"]) == (3, "open")
    shown = (await send("GET", f"{PATH}/{waiting.json()['id']}")).json()
    assert [line["change"] for line in shown["lines"]] == ["-30", "30", "-41"]
    assert shown["value"] == "1010"
    assert await on_hand() == "1000"
    done = await approve(waiting.json())
    assert done.status_code == 200, done.text
    assert len(done.json()["movements"]) == 3
    assert (await on_hand(), await on_hand("Annex")) == ("929", "1030")


async def test_an_atomic_call_that_changes_more_is_refused_and_names_its_corrections(
    send_lines, on_hand
):
    lines = [ISSUE | {"quantity": 1}, LOST | {"quantity": 60}, LOST | {"quantity": 60}]

    refused = await send_lines(*lines, mode="atomic")

    assert_problem(refused, BulkRefused, refused=2)
    results = refused.json()["results"]
    assert [(each["line"], each["code"]) for each in results] == [
        (1, "approval_needed"), (2, "approval_needed"),
    ]  # fmt: skip
    assert await on_hand() == "1000"
    assert (await send_lines(*lines[:2], mode="atomic")).status_code == 201
    assert (await send_lines(lines[0], lines[1], mode="atomic")).status_code == 409  # Of the day.


async def test_what_the_stock_refuses_is_told_as_ever(send_lines):
    refused = await send_lines(LOST | {"quantity": 5000}, mode="atomic")

    assert_problem(refused, BulkRefused, refused=1)
    assert refused.json()["results"][0]["code"] == "insufficient_stock"


@pytest.mark.parametrize("mode", ["each", "atomic"])
async def test_bulk_calls_are_tried_without_opening_anything(send_lines, send, mode):
    tried = await send_lines(LOST | {"quantity": 150}, mode=mode, query="?dry_run=true")

    assert tried.status_code == (201 if mode == "each" else 202)
    assert tried.headers["dry-run"] == "true"
    assert (await send("GET", PATH)).json()["items"] == []


@pytest.fixture
def reverse(send, clerk):
    async def post(movement_id, who=None, **more):
        path = f"/api/inventory/movements/{movement_id}/reverse"
        return await send("POST", path, {"reason": "typo", **more}, who or clerk)

    return post


async def test_undoing_what_was_approved_needs_approval_too(
    ask, approve, reverse, on_hand, boss, send
):
    [moved] = (await approve(await ask(150))).json()["movements"]

    waiting = await reverse(moved)

    assert waiting.status_code == 202, waiting.text
    assert (waiting.json()["kind"], waiting.json()["cause"]) == ("reversal", "value")
    assert await on_hand() == "850"
    done = await approve(waiting.json())
    assert done.status_code == 200, done.text
    assert await on_hand() == "1000"
    assert_problem(await reverse(moved), AlreadyReversed, reversed_by=done.json()["movements"][0])
    assert (await send("GET", "/api/inventory/verify")).json()["ok"]


async def test_undoing_ones_own_light_mistake_needs_none(write_off, reverse, on_hand):
    moved = (await write_off(90)).json()

    assert (await reverse(moved["id"])).status_code == 201
    assert (await write_off(90)).status_code == 201
    assert (await write_off(20)).status_code == 202
    assert await on_hand() == "910"


async def test_of_two_that_would_undo_the_same_one_does(ask, approve, reverse, boss):
    [moved] = (await approve(await ask(150))).json()["movements"]
    [first, second] = [(await reverse(moved, who)).json() for who in (None, Caller(boss.tenant_id))]

    assert (await approve(first)).status_code == 200
    assert_problem(await approve(second), ApprovalClosed, state="stale")


async def test_what_was_counted_since_is_not_undone(ask, approve, reverse, write_off):
    [moved] = (await approve(await ask(150))).json()["movements"]
    waiting = (await reverse(moved)).json()
    await write_off(850, kind="count_correction")

    assert_problem(await approve(waiting), ApprovalStale, cause="counted")


async def test_undoing_a_receipt_or_an_issue_is_not_weighed(move, reverse, boss):
    moved = (await move("issue", 500)).json()

    assert (await reverse(moved["id"])).status_code == 201
