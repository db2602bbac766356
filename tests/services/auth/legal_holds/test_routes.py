"""Legal holds: one administrator places them, two lift them, and everything is journaled."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.auth.legal_holds.errors import (
    AnotherMustApprove,
    LegalHoldLifted,
    LegalHoldNotFound,
    LiftNotAsked,
    LiftPending,
)
from shared.errors import MissingScope, ValidationFailed
from tests.services.auth.people import SignedIn, SignIn
from tests.support.services import assert_problem, service_headers

pytestmark = pytest.mark.stack

URL = "/api/legal-holds"
REASON = {"reason": "The proceedings are over."}


@pytest.fixture
async def second(make_user: SignIn) -> SignedIn:
    """Another administrator of the boss's tenant."""
    return await make_user("second@example.com", role="admin")


async def place(who: SignedIn, **what: Any) -> httpx.Response:
    body = {"reason": "Proceedings 4711."} | what
    return await who.client.post(URL, json=body, headers=who.headers())


async def ask(who: SignedIn, hold_id: str) -> httpx.Response:
    return await who.client.post(f"{URL}/{hold_id}/lift", json=REASON, headers=who.headers())


async def approve(who: SignedIn, hold_id: str) -> httpx.Response:
    return await who.client.post(f"{URL}/{hold_id}/lift/approve", headers=who.headers())


async def end(who: SignedIn, hold_id: str) -> httpx.Response:
    return await who.client.delete(f"{URL}/{hold_id}/lift", headers=who.headers())


async def active(who: SignedIn) -> set[str]:
    answer = await who.client.get(
        "/internal/legal-holds", headers=service_headers("inventory", "holds:read", target="auth")
    )
    assert answer.status_code == 200, answer.text
    return {hold["id"] for hold in answer.json()["holds"]}


async def test_a_hold_is_placed_by_one_and_lifted_by_two(boss: SignedIn, second: SignedIn):
    made = await place(boss, kind="movements", first_day="2019-01-01", last_day="2019-12-31")
    assert made.status_code == 201, made.text
    hold = made.json()
    assert (hold["kind"], hold["placed_by"], hold["lifted_at"]) == (
        "movements", boss.user["id"], None,
    )  # fmt: skip
    assert hold["id"] in await active(boss)

    asked = await ask(boss, hold["id"])
    assert asked.json()["lift_asked_by"] == boss.user["id"]
    assert hold["id"] in await active(boss)
    lifted = await approve(second, hold["id"])

    assert lifted.json()["lifted_by"] == second.user["id"]
    assert hold["id"] not in await active(boss)


async def test_nobody_lifts_a_hold_alone(boss: SignedIn, second: SignedIn):
    hold_id = (await place(boss)).json()["id"]

    assert_problem(await approve(second, hold_id), LiftNotAsked)
    await ask(second, hold_id)
    assert_problem(await approve(second, hold_id), AnotherMustApprove)
    assert_problem(await ask(boss, hold_id), LiftPending)
    assert hold_id in await active(boss)


async def test_a_wish_to_lift_is_withdrawn_or_declined_and_the_hold_stays(
    boss: SignedIn, second: SignedIn
):
    hold_id = (await place(boss)).json()["id"]
    for who in (boss, second):
        await ask(boss, hold_id)
        assert (await end(who, hold_id)).status_code == 204
        assert_problem(await end(who, hold_id), LiftNotAsked)

    assert hold_id in await active(boss)


async def test_a_lifted_hold_is_over_and_still_listed(boss: SignedIn, second: SignedIn):
    hold_id = (await place(boss)).json()["id"]
    await ask(boss, hold_id)
    await approve(second, hold_id)

    for again in (ask(boss, hold_id), approve(boss, hold_id), end(boss, hold_id)):
        assert_problem(await again, LegalHoldLifted)
    listed = await boss.client.get(URL, headers=boss.headers())
    assert [hold["lifted_by"] for hold in listed.json()["items"]] == [second.user["id"]]


async def test_of_two_approvals_at_once_one_is_an_act(boss: SignedIn, second: SignedIn):
    hold_id = (await place(boss)).json()["id"]
    await ask(boss, hold_id)

    answers = await asyncio.gather(approve(second, hold_id), approve(second, hold_id))

    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_another_tenant_has_no_part_in_it(boss: SignedIn, make_tenant):
    hold_id = (await place(boss)).json()["id"]
    other = await make_tenant("other@example.com")

    for answer in (await ask(other, hold_id), await approve(other, hold_id)):
        assert_problem(answer, LegalHoldNotFound)
    assert (await other.client.get(URL, headers=other.headers())).json()["items"] == []
    assert_problem(await ask(boss, str(uuid4())), LegalHoldNotFound)


async def test_administrators_hold_and_auditors_look(boss: SignedIn, make_user: SignIn):
    auditor = await make_user("auditor@example.com", role="auditor")
    manager = await make_user("manager@example.com", role="manager")

    assert (await auditor.client.get(URL, headers=auditor.headers())).status_code == 200
    for who in (auditor, manager):
        assert_problem(await place(who), MissingScope)
    assert_problem(await manager.client.get(URL, headers=manager.headers()), MissingScope)


async def test_days_are_in_their_order(boss: SignedIn):
    wrong = await place(boss, first_day="2020-01-01", last_day="2019-01-01")

    assert_problem(wrong, ValidationFailed)
