"""Stock that is promised: held, issued, released, expired."""

from datetime import timedelta

import pytest

from services.inventory.freezes.errors import Frozen
from services.inventory.items.errors import ItemNotFound
from services.inventory.ledger import service as ledger
from services.inventory.ledger.errors import InsufficientStock
from services.inventory.reservations.errors import (
    InsufficientStockAnywhere,
    MoreThanHeld,
    ReservationDone,
    ReservationNotFound,
    ReservationOver,
    ReservationRefused,
    ReservationTimeUnfit,
)
from shared.clock import utc_now
from tests.support.services import Caller, assert_problem
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

PATH = "/api/inventory/reservations"


@pytest.fixture(autouse=True)
async def stock(make_location, make_item, move):
    await make_location("Main")
    await make_location("Annex")
    await make_item("A1", packs=[{"unit": "case", "quantity": "12"}])
    await make_item("B1")
    for item, location, quantity in (("A1", "Main", 10), ("A1", "Annex", 5), ("B1", "Main", 3)):
        received = await move("receipt", quantity, item=item, location=location)
        assert received.status_code == 201, received.text


async def verified(client, caller):
    answer = await client.get("/api/inventory/verify", headers=caller.headers())
    return answer.json()


async def test_what_is_held_is_not_available_to_others(client, caller, reserve, look_up, move):
    made = await reserve("7", reference="Order 1")

    assert (made["status"], made["reference"]) == ("active", "Order 1")
    assert [line["held"] for line in made["lines"]] == ["7"]
    found = await look_up()
    assert (found["on_hand"], found["reserved"], found["available"]) == ("15", "7", "8")
    refused = await move("issue", 4)
    assert_problem(refused, InsufficientStock)
    assert (refused.json()["available"], refused.json()["reserved"]) == ("3", "7")
    assert (await move("issue", 3)).status_code == 201
    assert (await verified(client, caller))["ok"]


async def test_a_commit_issues_what_is_held_under_its_reference(
    client, caller, reserve, post, look_up
):
    made = await reserve("7", reference="Order 1")

    part = await post(f"/{made['id']}/commit", {"lines": [{"line": 0, "quantity": "5"}]})
    rest = await post(f"/{made['id']}/commit")

    assert part.status_code == rest.status_code == 200, part.text + rest.text
    assert part.json()["reservation"]["status"] == "active"
    line = rest.json()["reservation"]["lines"][0]
    assert (line["held"], line["committed"]) == ("0", "7")
    assert rest.json()["reservation"]["status"] == "committed"
    query = {"reference": "Order 1"}
    movements = await client.get("/api/inventory/movements", params=query, headers=caller.headers())
    assert [row["change"] for row in movements.json()["items"]] == ["-2", "-5"]
    ids = part.json()["movements"] + rest.json()["movements"]
    assert [row["id"] for row in movements.json()["items"]] == ids[::-1]
    found = await look_up()
    assert (found["on_hand"], found["reserved"]) == ("8", "0")
    assert_problem(await post(f"/{made['id']}/commit"), ReservationDone)
    assert (await verified(client, caller))["ok"]


async def test_what_is_released_is_anybodys_again(reserve, post, look_up):
    made = await reserve("7")

    part = await post(f"/{made['id']}/release", {"lines": [{"line": 0, "quantity": "3"}]})
    assert part.json()["status"] == "active"
    assert (await look_up())["reserved"] == "4"
    rest = await post(f"/{made['id']}/release")

    assert rest.json()["status"] == "released"
    assert (await look_up())["reserved"] == "0"
    assert_problem(await post(f"/{made['id']}/release"), ReservationDone)


async def test_no_more_is_taken_than_a_line_holds(reserve, post):
    made = await reserve("7")

    for act in ("commit", "release"):
        refused = await post(f"/{made['id']}/{act}", {"lines": [{"line": 0, "quantity": "8"}]})
        assert_problem(refused, MoreThanHeld)
        elsewhere = await post(f"/{made['id']}/{act}", {"lines": [{"line": 1, "quantity": "1"}]})
        assert_problem(elsewhere, MoreThanHeld)


async def test_all_lines_are_held_or_none_and_each_that_fails_is_named(post, look_up):
    lines = [
        {"item": "A1", "location": "Main", "quantity": "10"},
        {"item": "B1", "location": "Main", "quantity": "4"},
        {"item": "NONE", "location": "Main", "quantity": "1"},
        {"item": "NONE", "quantity": "1"},
        {"item": "B1", "quantity": "400"},
    ]

    refused = await post("", {"lines": lines})

    assert_problem(refused, ReservationRefused)
    told = [(result["line"], result["code"]) for result in refused.json()["results"]]
    assert told == [
        (1, "insufficient_stock"), (2, "item_not_found"), (3, "item_not_found"),
        (4, "insufficient_stock_anywhere"),
    ]  # fmt: skip
    assert (await look_up())["reserved"] == "0"
    assert_problem(await post("", {"lines": lines[1:2]}), InsufficientStock)
    assert_problem(await post("", {"lines": lines[3:4]}), ItemNotFound)


async def test_a_line_without_a_location_is_held_wherever_there_is_some(post, look_up):
    made = await post("", {"lines": [{"item": "A1", "quantity": "1", "unit": "case"}]})

    assert made.status_code == 201, made.text
    holds = made.json()["lines"][0]["holds"]
    assert [(hold["location"], hold["held"]) for hold in holds] == [("Main", "10"), ("Annex", "2")]
    refused = await post("", {"lines": [{"item": "A1", "quantity": "4"}]})
    assert_problem(refused, InsufficientStockAnywhere)
    assert refused.json()["available"] == "3"
    committed = await post(f"/{made.json()['id']}/commit")
    assert len(committed.json()["movements"]) == 2
    assert (await look_up())["on_hand"] == "3"


async def test_an_expired_hold_blocks_nobody_though_nobody_swept(
    client, caller, reserve, let_expire, move, post, look_up
):
    made = await reserve("10")
    assert_problem(await move("issue", 1), InsufficientStock)

    await let_expire(made["id"])

    assert (await move("issue", 10)).status_code == 201
    shown = (await client.get(f"{PATH}/{made['id']}", headers=caller.headers())).json()
    assert (shown["status"], shown["lines"][0]["expired"]) == ("expired", "10")
    assert_problem(await post(f"/{made['id']}/commit"), ReservationOver)
    assert (await look_up())["reserved"] == "0"
    assert (await verified(client, caller))["ok"]


async def test_what_expired_is_never_committed_whoever_comes_first(
    client, caller, reserve, let_expire, post, look_up
):
    made = await reserve("10")
    kept = await reserve_more(post)
    await let_expire(made["id"])

    assert_problem(await post(f"/{made['id']}/commit"), ReservationOver)

    assert (await look_up())["on_hand"] == "15"
    assert (await post(f"/{kept}/commit")).status_code == 200
    assert (await verified(client, caller))["ok"]


async def reserve_more(post):
    made = await post("", {"lines": [{"item": "B1", "location": "Main", "quantity": "3"}]})
    return made.json()["id"]


async def test_its_end_can_be_moved(client, caller, reserve, look_up, move):
    made = await reserve("10")
    later = (utc_now() + timedelta(days=30)).isoformat()

    async def extend(until):
        path, body = f"{PATH}/{made['id']}", {"expires_at": until}
        return await client.patch(path, json=body, headers=caller.headers())

    moved = await extend(later)

    assert moved.status_code == 200, moved.text
    assert moved.json()["expires_at"].startswith(later[:19])
    for wrong in ("2020-01-01T00:00:00Z", (utc_now() + timedelta(days=400)).isoformat()):
        assert_problem(await extend(wrong), ReservationTimeUnfit)


@pytest.mark.parametrize("until", ["2020-01-01T00:00:00Z", "2090-01-01T00:00:00Z"])
async def test_a_time_that_is_over_or_far_away_is_refused(post, until):
    lines = [{"item": "A1", "location": "Main", "quantity": "1"}]

    assert_problem(await post("", {"lines": lines, "expires_at": until}), ReservationTimeUnfit)


async def test_lists_are_filtered_and_paged(client, caller, reserve, post):
    first = await reserve("1", reference="One")
    second = await reserve("2", reference="Two")
    await post(f"/{first['id']}/release")

    async def ids(**query):
        answer = await client.get(PATH, params=query, headers=caller.headers())
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json()["items"]]

    assert await ids() == [second["id"], first["id"]]
    assert await ids(active="true") == [second["id"]]
    assert await ids(active="false") == [first["id"]]
    assert await ids(reference="One") == [first["id"]]
    assert await ids(item="A1") == [second["id"], first["id"]]
    assert await ids(item=first["lines"][0]["item_id"]) == [second["id"], first["id"]]
    assert await ids(item="B1") == []
    page = await client.get(PATH, params={"limit": 1}, headers=caller.headers())
    assert await ids(limit="1", cursor=page.json()["next_cursor"]) == [first["id"]]


async def test_the_same_key_reserves_once(post, look_up):
    body = {"lines": [{"item": "A1", "location": "Main", "quantity": "4"}]}

    answers = [await post("", body, **{"Idempotency-Key": "once"}) for _ in range(3)]

    assert {answer.json()["id"] for answer in answers} == {answers[0].json()["id"]}
    assert (await look_up())["reserved"] == "4"


async def test_who_is_limited_holds_and_sees_nothing_elsewhere(
    client, caller, make_location, move, post, reserve
):
    annex = await client.get("/api/locations", params={"limit": 100}, headers=caller.headers())
    annex_id = next(row["id"] for row in annex.json()["items"] if row["name"] == "Annex")
    limited = Caller(caller.tenant_id, locations=[annex_id])
    elsewhere = await reserve("1")

    made = await post("", {"lines": [{"item": "A1", "quantity": "5"}]}, by=limited)

    assert made.status_code == 201, made.text
    assert [hold["location"] for hold in made.json()["lines"][0]["holds"]] == ["Annex"]
    short = await post("", {"lines": [{"item": "A1", "quantity": "1"}]}, by=limited)
    assert_problem(short, InsufficientStockAnywhere)
    assert short.json()["available"] == "0"
    for act in ("commit", "release"):
        assert_problem(await post(f"/{elsewhere['id']}/{act}", by=limited), ReservationNotFound)
    listed = await client.get(PATH, headers=limited.headers())
    assert [each["id"] for each in listed.json()["items"]] == [made.json()["id"]]


async def test_verification_names_a_level_that_reserves_other_than_is_held(
    client, caller, reserve, other
):
    made = await reserve("7")
    await other.execute(
        "UPDATE inventory.levels SET reserved = 6 WHERE tenant_id = $1 AND reserved = 7",
        caller.tenant_id,
    )

    found = await verified(client, caller)

    told = [(row["kind"], row["expected"], row["found"]) for row in found["differences"]]
    assert told == [("reserved", "7", "6")]
    assert found["differences"][0]["item_id"] == made["lines"][0]["item_id"]


async def test_a_hold_whose_end_comes_while_it_is_committed_is_committed_once(
    client, caller, reserve, post, look_up, monkeypatch
):
    """Its end falls between the look at the reservation, under lock, and the issue."""
    until = utc_now() + timedelta(milliseconds=400)
    made = await reserve("7", expires_at=until.isoformat())
    apply = ledger.apply

    async def apply_later(*arguments, **named):
        await eventually(lambda: utc_now() > until)
        return await apply(*arguments, **named)

    monkeypatch.setattr(ledger, "apply", apply_later)
    committed = await post(f"/{made['id']}/commit")

    assert committed.status_code == 200, committed.text
    assert (await look_up())["on_hand"] == "8"
    assert (await verified(client, caller))["ok"]


async def test_lines_without_a_location_leave_others_what_these_name(post):
    for lines in (
        [{"item": "A1", "location": "Main", "quantity": "10"}, {"item": "A1", "quantity": "5"}],
        [{"item": "A1", "quantity": "5"}, {"item": "A1", "location": "Main", "quantity": "10"}],
    ):
        made = await post("", {"lines": lines})
        assert made.status_code == 201, made.text
        await post(f"/{made.json()['id']}/release")


@pytest.mark.parametrize(
    "target", [{"scope": "everything"}, {"scope": "item", "item": "A1"}], ids=["all", "item"]
)
async def test_frozen_stock_is_neither_held_nor_let_go(client, caller, reserve, post, target):
    made = await reserve("1")
    freeze = {"reason": "Stop.", **target}
    frozen = await client.post("/api/inventory/freezes", json=freeze, headers=caller.headers())
    assert frozen.status_code == 201, frozen.text
    later = {"expires_at": (utc_now() + timedelta(days=3)).isoformat()}

    answers = [
        await post("", {"lines": [{"item": "A1", "quantity": "1"}]}),
        await post(f"/{made['id']}/commit"),
        await post(f"/{made['id']}/release"),
        await client.patch(f"{PATH}/{made['id']}", json=later, headers=caller.headers()),
    ]

    for answer in answers:
        assert_problem(answer, Frozen, reason="Stop.")


async def test_verification_names_a_level_that_would_never_let_a_hold_expire(
    client, caller, reserve, other
):
    await reserve("7")
    await other.execute(
        "UPDATE inventory.levels SET holds_until = NULL WHERE tenant_id = $1", caller.tenant_id
    )

    found = await verified(client, caller)

    assert [row["kind"] for row in found["differences"]] == ["hold_time"]
