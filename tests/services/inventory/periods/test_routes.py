"""Closed periods: what they refuse, from when on one may record, and how they are reopened."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4

import pytest

from services.inventory.movements.errors import BulkRefused
from services.inventory.periods.errors import (
    InClosedPeriod,
    PeriodCovered,
    PeriodNotFound,
    PeriodNotLast,
    PeriodNotOver,
)
from shared.clock import utc_now
from shared.errors import MissingScope, ValidationFailed
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack

PATH = "/api/inventory/periods"


def day(ago: int) -> date:
    return utc_now().date() - timedelta(days=ago)


def midnight(ago: int) -> datetime:
    return datetime.combine(day(ago), time(), UTC)


@pytest.fixture(autouse=True)
async def stock(make_location, make_item, move):
    await make_location("Main")
    await make_location("Shop")
    await make_item("A1")
    await move("receipt", 100, occurred_at=midnight(30).isoformat())


@pytest.fixture
def close(client, caller):
    async def post(ago, **more):
        body = {"last_day": str(day(ago)), **more}
        return await client.post(PATH, json=body, headers=caller.headers())

    return post


@pytest.fixture
def reopen(client, caller):
    async def post(period, reason="Came late."):
        path = f"{PATH}/{period.json()['id']}/reopen"
        return await client.post(path, json={"reason": reason}, headers=caller.headers())

    return post


async def test_nothing_is_dated_in_a_closed_period_and_the_refusal_says_from_when_on(close, move):
    closed = await close(5)

    assert closed.status_code == 201, closed.text
    first = midnight(4)
    last = (first - timedelta(microseconds=1)).isoformat()
    told = {"open_from": closed.json()["open_from"]}
    assert datetime.fromisoformat(told["open_from"]) == first
    assert_problem(await move("receipt", 1, occurred_at=last), InClosedPeriod, **told)
    assert_problem(await move("issue", 1, occurred_at=last), InClosedPeriod, **told)
    assert_problem(await move("count_correction", 1, occurred_at=last), InClosedPeriod, **told)
    moved = await move("transfer", 1, to_location="Shop", occurred_at=last)
    assert_problem(moved, InClosedPeriod, **told)
    assert (await move("issue", 1, occurred_at=first.isoformat())).status_code == 201
    assert (await move("issue", 1)).status_code == 201


async def test_a_period_is_not_reopened_before_it_was_closed(monkeypatch, close, reopen):
    closed = await close(5)
    monkeypatch.setattr("shared.web.requests.utc_now", lambda: utc_now() - timedelta(hours=1))
    reopened = await reopen(closed)

    assert reopened.json()["reopened_at"] == closed.json()["closed_at"]


async def test_a_bulk_call_is_refused_line_by_line(client, caller, close):
    await close(5)
    line = {"kind": "issue", "item": "A1", "location": "Main", "quantity": 1}
    lines = [line | {"occurred_at": midnight(ago).isoformat()} for ago in (9, 3)] + [line]
    path = "/api/inventory/movements/bulk"

    each = await client.post(path, json={"mode": "each", "lines": lines}, headers=caller.headers())
    atomic = await client.post(path, json={"lines": lines}, headers=caller.headers())

    assert [row["code"] for row in each.json()["results"]] == ["period_closed", None, None]
    assert_problem(atomic, BulkRefused, refused=1)


async def test_the_latest_period_is_reopened_and_movements_may_be_dated_in_it(close, reopen, move):
    first, second = await close(9, note="October"), await close(5)
    inside = midnight(7).isoformat()

    assert_problem(await reopen(first), PeriodNotLast, closed_until=str(day(5)))
    opened = await reopen(second)

    assert opened.status_code == 200
    assert opened.json()["reason"] == "Came late."
    assert (await move("issue", 1, occurred_at=inside)).status_code == 201
    refused = await move("issue", 1, occurred_at=midnight(9).isoformat())
    assert_problem(refused, InClosedPeriod)
    assert_problem(await reopen(second), PeriodNotFound)
    assert (await close(5)).status_code == 201
    assert_problem(await move("issue", 1, occurred_at=inside), InClosedPeriod)


async def test_only_what_is_over_is_closed_and_once(client, caller, close):
    assert_problem(await close(0), PeriodNotOver)
    assert_problem(await close(-400), PeriodNotOver)
    await close(5)
    assert_problem(await close(5), PeriodCovered, closed_until=str(day(5)))
    assert_problem(await close(6), PeriodCovered)
    wrong = await client.post(PATH, json={"last_day": "2026-02-30"}, headers=caller.headers())
    assert_problem(wrong, ValidationFailed)


async def test_periods_are_listed_to_all_who_read_and_closed_by_administrators(
    client, caller, close, reopen
):
    clerk = Caller(caller.tenant_id, scopes={"inventory:read", "stock:write", "inventory:write"})
    periods = [await close(9), await close(5, note="Audited."), await close(3)]
    await reopen(periods[2])

    listed = await client.get(PATH, headers=clerk.headers())
    page = await client.get(f"{PATH}?limit=1", headers=clerk.headers())
    cursor = page.json()["next_cursor"]
    rest = await client.get(f"{PATH}?limit=1&cursor={cursor}", headers=clerk.headers())
    reopened = await client.get(f"{PATH}?closed=false", headers=clerk.headers())

    assert [row["last_day"] for row in listed.json()["items"]] == [str(day(5)), str(day(9))]
    assert listed.json()["items"][0]["note"] == "Audited."
    assert [row["last_day"] for row in page.json()["items"] + rest.json()["items"]] == [
        str(day(5)), str(day(9))
    ]  # fmt: skip
    assert [row["reopened_by"] for row in reopened.json()["items"]] == [f"user:{caller.id}"]
    body = {"last_day": str(day(2))}
    refused = await client.post(PATH, json=body, headers=clerk.headers())
    assert_problem(refused, MissingScope)
    path = f"{PATH}/{periods[1].json()['id']}/reopen"
    for person, problem in ((clerk, MissingScope), (Caller(), PeriodNotFound)):
        answer = await client.post(path, json={"reason": "x"}, headers=person.headers())
        assert_problem(answer, problem)
    answer = await client.post(
        f"{PATH}/{uuid4()}/reopen", json={"reason": "x"}, headers=caller.headers()
    )
    assert_problem(answer, PeriodNotFound)
    assert (await client.get(PATH, headers=Caller().headers())).json()["items"] == []


async def test_a_month_is_closed_and_reopened_while_all_stock_is_frozen(
    client, caller, close, reopen
):
    frozen = await client.post(
        "/api/inventory/freezes", json={"scope": "everything", "reason": "Audit."},
        headers=caller.headers(),
    )  # fmt: skip
    assert frozen.status_code == 201, frozen.text

    closed = await close(5)

    assert closed.status_code == 201, closed.text
    assert (await reopen(closed)).is_success
