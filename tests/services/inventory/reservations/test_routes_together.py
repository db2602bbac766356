"""Reservations that arrive together go into one transaction, each with its own answer."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from services.inventory.items.errors import ItemNotFound
from services.inventory.ledger.errors import InsufficientStock
from services.inventory.locations.errors import LocationNotFound
from services.inventory.reservations.errors import (
    InsufficientStockAnywhere,
    ReservationRefused,
    ReservationTimeUnfit,
)
from services.inventory.reservations.service import reserving
from shared.clock import utc_now
from shared.errors import IdempotencyAnswerWithheld, IdempotencyKeyReused
from tests.support.services import Caller, assert_problem
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

HERE = {"item": "A1", "location": "Main", "quantity": "1"}
ANYWHERE = {"item": "A1", "quantity": "1"}
NOWHERE = {"item": "X9", "location": "Main", "quantity": "1"}
TOO_MUCH = {"item": "B1", "quantity": "99"}


@pytest.fixture(autouse=True)
async def stock(make_location, make_item, move):
    await make_location("Main")
    await make_location("Annex")
    for item in ("A1", "B1"):
        await make_item(item)
    for item, location, quantity in (("A1", "Main", 10), ("A1", "Annex", 5), ("B1", "Main", 3)):
        received = await move("receipt", quantity, item=item, location=location)
        assert received.status_code == 201, received.text


@pytest.fixture
def groups(monkeypatch):
    """How many reservations each transaction carried."""
    sizes, reserve_each = [], reserving.reserve_each

    async def counting(connection, asked):
        sizes.append(len(asked))
        return await reserve_each(connection, asked)

    monkeypatch.setattr(reserving, "reserve_each", counting)
    return sizes


async def test_many_are_one_transaction_and_none_suffers_for_another(
    client, caller, post, look_up, groups
):
    """Of fifteen units twelve are asked for here and twelve anywhere, between what cannot be."""
    wanted = []
    for _ in range(12):
        wanted += [[HERE], [ANYWHERE], [HERE, NOWHERE], [ANYWHERE, TOO_MUCH], [NOWHERE]]

    answers = await asyncio.gather(*(post("", {"lines": lines}) for lines in wanted))

    assert len(groups) < len(wanted) / 3
    assert sum(groups) == len(wanted)
    told = Counter((len(lines), a.status_code) for lines, a in zip(wanted, answers, strict=True))
    assert told[1, 201] == 15
    assert (told[2, 201], told[2, 409]) == (0, 24)
    for lines, answer in zip(wanted, answers, strict=True):
        if answer.status_code == 201:
            continue
        if lines == [HERE]:
            assert_problem(answer, InsufficientStock)
        elif lines == [ANYWHERE]:
            assert_problem(answer, InsufficientStockAnywhere)
        elif lines == [NOWHERE]:
            assert_problem(answer, ItemNotFound)
        else:
            assert_problem(answer, ReservationRefused)
            assert 1 in {result["line"] for result in answer.json()["results"]}
    found = await look_up("A1")
    assert (found["reserved"], found["available"]) == ("15", "0")
    assert (await look_up("B1"))["reserved"] == "0"
    verified = await client.get("/api/inventory/verify", headers=caller.headers())
    assert verified.json()["ok"], verified.text


async def test_every_reservation_of_a_group_is_in_the_journal_under_its_own_request(
    client, caller, post, other
):
    sent = [f"request-{n}" for n in range(8)]

    answers = await asyncio.gather(
        *(post("", {"lines": [HERE]}, **{"X-Request-ID": each}) for each in sent)
    )

    rows = await other.fetch(
        "SELECT subject, request_id, actor FROM inventory.journal"
        " WHERE tenant_id = $1 AND type = 'inventory.stock-reserved.v1'",
        caller.tenant_id,
    )
    assert {(row["subject"], row["request_id"]) for row in rows} == {
        (f"reservation:{a.json()['id']}", a.headers["X-Request-ID"]) for a in answers
    }
    assert {row["actor"] for row in rows} == {f"user:{caller.id}"}


async def test_one_key_sent_at_once_by_many_reserves_once(post, look_up):
    body, key = {"lines": [HERE, ANYWHERE]}, {"Idempotency-Key": "once"}

    answers = await asyncio.gather(*(post("", body, **key) for _ in range(12)))
    later = await post("", body, **key)

    assert {answer.status_code for answer in answers} <= {201, 409}
    made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert made == {later.json()["id"]}
    assert later.headers["Idempotency-Replayed"] == "true"
    assert (await look_up("A1"))["reserved"] == "2"


async def test_what_is_answered_again_is_what_was_answered_first(post, reserve):
    body, key = {"lines": [HERE], "reference": "SO-1"}, {"Idempotency-Key": "first"}
    first = await post("", body, **key)
    await post(f"/{first.json()['id']}/release")

    again = await post("", body, **key)

    assert (again.status_code, again.json()) == (201, first.json())


async def test_what_is_answered_again_may_be_over_by_then(post):
    ends = (utc_now() + timedelta(milliseconds=400)).isoformat()
    body, key = {"lines": [HERE], "expires_at": ends}, {"Idempotency-Key": "brief"}
    first = await post("", body, **key)
    assert first.status_code == 201, first.text

    async def is_over():
        return (await post("", body)).status_code == ReservationTimeUnfit.status

    await eventually(is_over)

    again = await post("", body, **key)
    assert (again.status_code, again.json()) == (201, first.json())


async def test_a_key_answers_for_its_own_body_and_to_who_may_see_it(post, caller):
    key = {"Idempotency-Key": "mine"}
    await post("", {"lines": [HERE]}, **key)

    assert_problem(await post("", {"lines": [ANYWHERE]}, **key), IdempotencyKeyReused)
    less = Caller(caller.tenant_id, id=caller.id, scopes=["stock:write"])
    assert_problem(await post("", {"lines": [HERE]}, by=less, **key), IdempotencyAnswerWithheld)


async def test_what_was_refused_leaves_its_key_free(post, move):
    body, key = {"lines": [{**HERE, "quantity": "11"}]}, {"Idempotency-Key": "later"}
    assert_problem(await post("", body, **key), InsufficientStock)
    await move("receipt", 1)

    assert (await post("", body, **key)).status_code == 201


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"item": "N1", "location": "Nope", "serials": ["S1"]}, LocationNotFound),
        ({"item": "N1", "location": "Nope", "serials": ["S9"]}, LocationNotFound),
        ({"item": "N1", "serials": ["S9"]}, InsufficientStockAnywhere),
        ({"item": "N2", "serials": ["S9"]}, InsufficientStockAnywhere),
        ({"item": "L1", "location": "Nope", "lot": "L", "quantity": "1"}, LocationNotFound),
        ({"item": "L1", "lot": "L", "quantity": "1"}, InsufficientStockAnywhere),
    ],
)
async def test_names_where_there_is_no_place_hurt_nobody_else(
    line, expected, post, make_item, move
):
    await make_item("N1", tracking="serial")
    await make_item("N2", tracking="serial")
    await make_item("L1", tracking="lot")
    assert (await move("receipt", None, item="N1", serials=["S1"])).status_code == 201

    bad, *others = await asyncio.gather(
        *(post("", {"lines": [each]}) for each in (line, HERE, HERE, HERE))
    )

    assert_problem(bad, expected)
    assert [each.status_code for each in others] == [201] * 3


async def test_a_movement_of_serials_where_there_is_no_place_hurts_nobody_else(make_item, move):
    await make_item("N1", tracking="serial")

    bad, *others = await asyncio.gather(
        move("issue", None, item="N1", serials=["S9"], location="Nope"),
        *(move("receipt", 1) for _ in range(3)),
    )

    assert_problem(bad, LocationNotFound)
    assert [each.status_code for each in others] == [201] * 3


async def test_a_fault_of_one_is_the_trouble_of_that_one_alone(post, look_up, monkeypatch):
    """What we cannot work out of one reservation is no reason to refuse those beside it."""
    make = reserving._make

    def fault(decision):
        if decision.asking.wanted.reference == "odd":
            raise KeyError("odd")
        return make(decision)

    monkeypatch.setattr(reserving, "_make", fault)
    sent = ({"lines": [HERE], "reference": each} for each in ("a", "odd", "b", "c", "odd", "d"))

    answers = await asyncio.gather(*(post("", body) for body in sent))

    assert [each.status_code for each in answers] == [201, 500, 201, 201, 500, 201]
    assert (await look_up("A1"))["reserved"] == "4"


async def test_serials_without_a_location_are_held_where_they_lie(post, make_item, move):
    await make_item("N1", tracking="serial")
    for location, serials in (("Main", ["S1", "S2"]), ("Annex", ["S3", "S4"])):
        moved = await move("receipt", None, item="N1", location=location, serials=serials)
        assert moved.status_code == 201

    made = await post("", {"lines": [{"item": "N1", "serials": ["S4", "S1"]}]})

    held = {hold["location"]: hold["serials"] for hold in made.json()["lines"][0]["holds"]}
    assert held == {"Main": ["S1"], "Annex": ["S4"]}


async def test_the_fullest_place_is_the_one_that_those_before_have_left_so(post, move):
    """Main has ten and Annex nine: who comes second finds Annex the fuller, in one group too."""
    await move("receipt", 4, location="Annex")
    wanted = {"item": "A1", "quantity": "6"}

    answers = await asyncio.gather(
        post("", {"lines": [NOWHERE]}), *(post("", {"lines": [wanted]}) for _ in range(2))
    )

    places = [a.json()["lines"][0]["holds"][0]["location"] for a in answers[1:]]
    assert sorted(places) == ["Annex", "Main"]
