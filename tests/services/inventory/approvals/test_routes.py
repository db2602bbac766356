"""Approvals: what waits for somebody else, who gives them, and what is then done."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from services.inventory.approvals import service as approvals
from services.inventory.approvals.errors import (
    ApprovalClosed,
    ApprovalExpired,
    ApprovalNotFound,
    ApprovalStale,
    NotYourApproval,
    OwnApproval,
)
from services.inventory.freezes.errors import Frozen
from services.inventory.ledger.errors import InsufficientStock, SerialsNotThere
from services.inventory.periods.errors import InClosedPeriod
from shared.clock import utc_now
from shared.db import Stamp
from shared.errors import MissingScope, StepUpRequired
from tests.support.services import Caller, assert_problem

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("stock")]

PATH = "/api/inventory/approvals"


async def on_hand(send, place="Main"):
    found = (await send("GET", "/api/inventory/lookup/A1")).json()
    return next(each["on_hand"] for each in found["stock"] if each["location"] == place)


async def state_of(send, asked):
    return (await send("GET", f"{PATH}/{asked['id']}")).json()["state"]


async def test_nothing_is_decided_before_it_was_asked_for(monkeypatch, ask, approve):
    asked = await ask()
    monkeypatch.setattr("shared.web.requests.utc_now", lambda: utc_now() - timedelta(hours=1))
    done = await approve(asked)

    assert done.json()["decided_at"] == asked["opened_at"], done.text


async def test_what_is_worth_more_than_the_limit_waits_and_is_done_once_it_is_approved(
    send, ask, approve, write_off, clerk
):
    assert (await write_off(100, item="A1")).status_code == 201
    asked = await ask(101, reference="Fire 12", reason="Burnt.")

    assert (asked["kind"], asked["state"], asked["cause"]) == ("movements", "open", "value")
    assert (asked["value"], asked["requested_by"]) == (None, f"user:{clerk.id}")
    assert await on_hand(send) == "900"
    done = await approve(asked)

    assert done.status_code == 200, done.text
    assert (done.json()["state"], done.json()["value"]) == ("approved", "1010")
    assert await on_hand(send) == "799"
    query = "?reference=Fire%2012"
    [moved] = (await send("GET", f"/api/inventory/movements{query}")).json()["items"]
    assert done.json()["movements"] == [moved["id"]]
    assert (moved["actor"], moved["reason"]) == (f"user:{clerk.id}", "Burnt.")
    assert moved["occurred_at"] == asked["opened_at"]
    assert (await send("GET", "/api/inventory/verify")).json()["ok"]


async def test_an_approval_shows_what_it_does_and_what_lay_there(send, ask, clerk):
    asked = await ask(10, unit="case", reason_code="expired")

    shown = await send("GET", f"{PATH}/{asked['id']}")

    [line] = shown.json()["lines"]
    assert (line["item"], line["location"], line["movement_kind"]) == ("A1", "Main", "write_off")
    assert (line["change"], line["on_hand"]) == ("-120", "1000")
    assert line["reason_code"] == "expired"
    assert shown.json()["value"] == "1200"
    known = {"If-None-Match": shown.headers["etag"]}
    assert (await send("GET", f"{PATH}/{asked['id']}", **known)).status_code == 304


@pytest.mark.parametrize("way", ["in", "out"])
async def test_adjustments_are_weighed_whichever_way_they_go(write_off, ask, send, approve, way):
    body = {"kind": "adjustment", "direction": way, "reason": "found"}
    assert (await write_off(100, **body)).status_code == 201

    await approve(await ask(101, **body))

    assert await on_hand(send) == ("1201" if way == "in" else "799")


async def test_a_count_is_weighed_by_what_it_corrects_and_keeps_what_moves_meanwhile(
    write_off, ask, send, approve, move
):
    count = {"kind": "count_correction"}
    assert (await write_off(1050, **count)).status_code == 201
    asked = await ask(700, **count)
    await move("issue", 30)

    done = await approve(asked)

    assert done.status_code == 200, done.text
    assert await on_hand(send) == "670"


async def test_who_asked_does_not_approve_or_reject_and_alone_withdraws(send, ask, approve, boss):
    asked = await ask(150, boss)

    assert_problem(await approve(asked, boss), OwnApproval)
    rejected = await send("POST", f"{PATH}/{asked['id']}/reject", {"reason": "no"}, boss)
    assert_problem(rejected, OwnApproval)
    withdraw = f"{PATH}/{asked['id']}/withdraw"
    assert_problem(await send("POST", withdraw, {}), NotYourApproval)
    withdrawn = await send("POST", withdraw, {"reason": "Found again."}, boss)

    assert (withdrawn.json()["state"], withdrawn.json()["reason"]) == ("withdrawn", "Found again.")
    assert_problem(await approve(asked), ApprovalClosed, state="withdrawn")
    assert await on_hand(send) == "1000"


async def test_a_key_of_who_asked_is_who_asked(send, ask, approve, boss):
    """The person counts: what a key of his asked for he does not approve himself."""
    asked = await ask(150, Caller(boss.tenant_id, boss.id, methods=("key",)))

    assert asked["requested_by"].startswith("key:")
    assert_problem(await approve(asked, boss), OwnApproval)
    mine = await send("GET", f"{PATH}?requested_by=me", None, boss)
    assert [each["id"] for each in mine.json()["items"]] == [asked["id"]]
    assert (await approve(asked, Caller(boss.tenant_id))).status_code == 200


async def test_what_keys_of_a_person_change_counts_together(write_off, boss):
    keys = [Caller(boss.tenant_id, boss.id, methods=("key",)) for _ in range(2)]

    answers = [await write_off(60, who) for who in (*keys, boss)]

    assert [answer.status_code for answer in answers] == [201, 202, 202]
    assert {answer.json().get("cause") for answer in answers[1:]} == {"day"}


async def test_approving_needs_the_scope_and_a_fresh_proof(send, ask, clerk, approve):
    asked = await ask()

    assert_problem(await approve(asked, clerk), MissingScope)
    stale = Caller(clerk.tenant_id, proved_s_ago=660)
    assert_problem(await approve(asked, stale), StepUpRequired)
    rejected = await send("POST", f"{PATH}/{asked['id']}/reject", {"reason": "no"}, stale)
    assert_problem(rejected, StepUpRequired)
    assert await state_of(send, asked) == "open"


async def test_of_fifty_approvals_at_once_one_is_given_and_done_once(send, ask, approve, boss):
    asked = await ask()

    answers = await asyncio.gather(*(approve(asked, Caller(boss.tenant_id)) for _ in range(50)))

    won = [answer for answer in answers if answer.status_code == 200]
    lost = [answer for answer in answers if answer.status_code != 200]
    assert len(won) == 1, [answer.text for answer in won]
    for answer in lost:
        assert_problem(answer, ApprovalClosed, state="approved")
    assert await on_hand(send) == "850"
    moved = (await send("GET", "/api/inventory/movements?kind=write_off")).json()["items"]
    assert [each["id"] for each in moved] == won[0].json()["movements"]


async def test_of_all_that_decide_at_once_one_does(send, ask, approve, clerk, boss):
    for _ in range(5):
        asked = await ask()
        path = f"{PATH}/{asked['id']}"

        answers = await asyncio.gather(
            approve(asked),
            send("POST", f"{path}/reject", {"reason": "no"}, boss),
            send("POST", f"{path}/withdraw", {}, clerk),
            approve(asked, Caller(boss.tenant_id)),
        )

        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]


async def test_what_was_counted_since_is_not_taken_again(send, ask, approve, write_off, boss):
    asked = await ask(150)
    await write_off(1000, kind="count_correction")

    stale = await approve(asked)

    assert_problem(stale, ApprovalStale, cause="counted")
    assert stale.json()["detail"].startswith("Stock that this touches was counted since")
    assert await state_of(send, asked) == "stale"
    assert_problem(await approve(asked), ApprovalClosed, state="stale")
    assert await on_hand(send) == "1000"


async def test_a_refusal_that_is_kept_keeps_no_key(send, ask, write_off, boss):
    asked = await ask(150)
    await write_off(1000, kind="count_correction")
    path, key = f"{PATH}/{asked['id']}/approve", {"Idempotency-Key": "once"}

    assert_problem(await send("POST", path, None, boss, **key), ApprovalStale)
    assert_problem(await send("POST", path, None, boss, **key), ApprovalClosed)


async def test_a_count_elsewhere_matters_nothing(ask, approve, write_off):
    asked = await ask(150)
    await write_off(1000, kind="count_correction", location="Annex")

    assert (await approve(asked)).status_code == 200


async def test_a_count_that_would_correct_something_else_by_now_is_stale(ask, approve, move, send):
    """What is recorded late changes what lay there when it was counted."""
    asked = await ask(700, kind="count_correction")
    await move("issue", 20, occurred_at=(utc_now() - timedelta(hours=1)).isoformat())

    # Nothing had been received then.
    refused = await move("receipt", 20, occurred_at=(utc_now() - timedelta(hours=2)).isoformat())
    assert refused.status_code == 201
    assert_problem(await approve(asked), ApprovalStale, cause="quantity")


@pytest.mark.parametrize(("cost", "is_stale"), [("11", False), ("11.1", True), ("2", False)])
async def test_what_is_worth_a_tenth_more_by_now_is_asked_for_anew(
    send, ask, approve, cost, is_stale
):
    asked = await ask(150)
    item = (await send("GET", "/api/inventory/lookup/A1")).json()["id"]
    await send("PATCH", f"/api/inventory/{item}", {"unit_cost": cost})

    answer = await approve(asked)

    if is_stale:
        assert_problem(answer, ApprovalStale, cause="value")
    else:
        assert answer.status_code == 200


async def test_what_the_stock_refuses_stays_open_until_it_can_be_done(send, ask, approve, move):
    asked = await ask(950)
    await move("issue", 100)

    assert_problem(await approve(asked), InsufficientStock)
    assert await state_of(send, asked) == "open"


async def test_what_is_frozen_stays_open(send, ask, approve):
    asked = await ask()
    freeze = {"scope": "item", "item": "A1", "reason": "count"}
    made = (await send("POST", "/api/inventory/freezes", freeze)).json()

    assert_problem(await approve(asked), Frozen, reason="count")
    await send("DELETE", f"/api/inventory/freezes/{made['id']}")
    assert (await approve(asked)).status_code == 200


async def test_nothing_is_done_in_a_period_that_was_closed_meanwhile(send, ask, approve, move):
    then = utc_now() - timedelta(days=3)
    await move("receipt", 500, location="Annex", occurred_at=(then - timedelta(days=1)).isoformat())
    asked = await ask(150, location="Annex", occurred_at=then.isoformat())
    closed = {"last_day": (utc_now() - timedelta(days=2)).date().isoformat()}
    assert (await send("POST", "/api/inventory/periods", closed)).status_code == 201

    assert_problem(await approve(asked), InClosedPeriod)
    assert await state_of(send, asked) == "open"


async def test_what_nobody_decided_in_time_has_expired_by_the_clock_and_is_swept(
    send, ask, client, caller, other, clerk
):
    asked = await ask()
    await other.execute(
        "UPDATE inventory.approvals SET expires_at = now() WHERE id = $1", UUID(asked["id"])
    )

    assert await state_of(send, asked) == "expired"
    for state, ids in (("open", []), ("expired", [asked["id"]])):
        listed = (await send("GET", f"{PATH}?state={state}")).json()["items"]
        assert [each["id"] for each in listed] == ids
    assert_problem(await send("POST", f"{PATH}/{asked['id']}/approve"), ApprovalExpired)
    assert_problem(await send("POST", f"{PATH}/{asked['id']}/withdraw", {}, clerk), ApprovalExpired)
    database = client._transport.app.state.resources.database
    async with database.transaction(Stamp(None, "worker")) as session:
        assert caller.tenant_id in await approvals.list_due_tenants(session, now=utc_now())
    async with database.transaction(Stamp(caller.tenant_id, "worker")) as session:
        assert not await approvals.expire_due(session, now=utc_now())
    swept = (await send("GET", f"{PATH}/{asked['id']}")).json()
    assert (swept["state"], swept["decided_by"]) == ("expired", "worker")


async def test_lists_are_filtered_and_go_on_by_a_cursor(send, ask, boss, clerk):
    await send("POST", "/api/inventory/add-item", {"code": "B1", "name": "B", "unit_cost": "60"})
    line = {"kind": "receipt", "item": "B1", "location": "Annex", "quantity": "90"}
    await send("POST", "/api/inventory/movements", line)
    ids = [(await ask(reference=f"Fire {n}"))["id"] for n in range(3)]
    other = (await ask(30, boss, item="B1", location="Annex"))["id"]
    await send("POST", f"{PATH}/{ids[0]}/reject", {"reason": "no"})

    async def listed(query, who=None):
        answer = await send("GET", f"{PATH}{query}", None, who)
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json()["items"]]

    newest = [other, *ids[::-1]]
    assert await listed("") == newest
    assert await listed("?state=open") == newest[:-1]
    assert await listed("?state=rejected") == [ids[0]]
    assert await listed("?item=b1") == await listed("?location=annex") == [other]
    assert await listed("?requested_by=me", clerk) == newest[1:]
    page = (await send("GET", f"{PATH}?limit=2")).json()
    assert await listed(f"?limit=2&cursor={page['next_cursor']}") == newest[2:]


async def test_another_tenant_sees_nothing(send, ask):
    asked, stranger = await ask(), Caller()

    assert (await send("GET", PATH, None, stranger)).json()["items"] == []
    for method, act, body in (
        ("GET", "", None), ("POST", "/approve", None), ("POST", "/reject", {"reason": "x"}),
        ("POST", "/withdraw", {}),
    ):  # fmt: skip
        answer = await send(method, f"{PATH}/{asked['id']}{act}", body, stranger)
        assert_problem(answer, ApprovalNotFound)
    assert_problem(await send("GET", f"{PATH}/{uuid4()}"), ApprovalNotFound)


async def test_who_is_limited_to_other_places_knows_nothing_of_it(send, ask, boss):
    places = (await send("GET", "/api/locations")).json()["items"]
    ids = {each["name"]: each["id"] for each in places}
    at_annex = Caller(boss.tenant_id, locations=[ids["Annex"]])
    both = (await ask(150), await ask(150, location="Annex"))

    assert [each["id"] for each in (await send("GET", PATH, None, at_annex)).json()["items"]] == [
        both[1]["id"]
    ]
    answers = [
        await send("POST", f"{PATH}/{asked['id']}/approve", None, at_annex) for asked in both
    ]
    assert_problem(answers[0], ApprovalNotFound)
    assert answers[1].status_code == 200


async def test_refusals_are_told_in_french(send, ask, boss):
    asked = await ask(150, boss)

    answer = await send("POST", f"{PATH}/{asked['id']}/approve?lang=fr", None, boss)

    assert answer.json()["title"] == "Pas par le demandeur"
    body = {"mode": "each", "lines": [{"kind": "issue", "item": "A1", "location": "Main"}]}
    bulk = await send("POST", "/api/inventory/movements/bulk?lang=fr", body)
    assert "\u00a0: " in bulk.json()["results"][0]["message"]
    assert answer.headers["content-language"] == "fr"


async def test_the_same_request_again_gets_the_same_answer(send, write_off):
    waiting = [await write_off(150, key="once") for _ in range(2)]
    done = [await write_off(1, key="twice") for _ in range(2)]

    for first, again in (waiting, done):
        assert again.json() == first.json()
        assert again.status_code == first.status_code
        assert again.headers["idempotency-replayed"] == "true"
    assert len((await send("GET", PATH)).json()["items"]) == 1
    assert await on_hand(send) == "999"


async def test_a_trial_says_that_an_approval_would_be_opened_and_opens_none(send, write_off):
    tried = await write_off(150, query="?dry_run=true")

    assert tried.status_code == 202
    assert tried.headers["dry-run"] == "true"
    assert tried.json()["cause"] == "value"
    assert (await send("GET", PATH)).json()["items"] == []


async def test_refusals_name_locations_and_serials_that_are_begun_are_told(
    make_item, move, ask, approve, send
):
    await make_item("S1", tracking="serial", unit_cost="600")
    await move("receipt", None, item="S1", serials=["N1", "N2"])
    begun = {"kind": "adjustment", "direction": "in", "reason": "found"}
    gone = await ask(None, item="S1", serials=["N1", "N2"])
    added = await ask(None, item="S1", serials=["X1", "X2"], **begun)
    await move("transfer", None, item="S1", to_location="Annex", serials=["N1"])

    refused = await approve(gone)
    lines = (await send("GET", f"{PATH}/{added['id']}")).json()["lines"]

    assert_problem(refused, SerialsNotThere, location="Main")
    assert [(line["serial"], line["lot"]) for line in lines] == [("X1", None), ("X2", None)]
