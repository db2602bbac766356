import asyncio

import asyncpg
import pytest

from services.inventory.items.errors import ItemNotFound
from services.inventory.ledger.errors import (
    BalanceTooLarge,
    InsufficientStock,
    MovementInFuture,
    TransferInPlace,
)
from services.inventory.locations.errors import LocationNotFound
from services.inventory.prices.errors import PriceForbidden
from shared.errors import IdempotencyKeyReused, MissingScope, ValidationFailed
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
async def place(make_location, make_item):
    await make_location("Main")
    await make_item("A1", unit_cost="2.50")


async def on_hand(client, caller, item="A1"):
    answer = await client.get(f"/api/inventory/lookup/{item}", headers=caller.headers())
    return answer.json()["on_hand"]


async def assert_verified(client, caller):
    answer = await client.get("/api/inventory/verify", headers=caller.headers())
    assert answer.json()["ok"], answer.text
    return answer.json()["checked"]


async def test_receipt_raises_stock_and_tells_what_the_ledger_holds(client, caller, move):
    response = await move("receipt", "12.5", reference="PO-7")

    assert response.status_code == 201
    movement = response.json()
    assert movement["quantity"] == "12.5"
    assert movement["balance_after"] == "12.5"
    assert movement["unit_cost"] is None
    assert movement["actor"] == f"user:{caller.id}"
    assert await on_hand(client, caller) == "12.5"
    assert (await assert_verified(client, caller))["movements"] == 1


async def test_issue_of_more_than_available_is_refused_and_says_what_there_is(client, caller, move):
    await move("receipt", 3)

    response = await move("issue", 5)

    assert_problem(
        response, InsufficientStock, available="3", requested="5", item="A1", location="Main"
    )
    assert await on_hand(client, caller) == "3"


async def test_transfer_moves_between_locations_and_nets_to_nothing(
    client, caller, move, make_location
):
    await make_location("Shop")
    await move("receipt", 10)

    response = await move("transfer", 4, to_location="Shop")

    assert response.json()["balance_after"] == "6"
    found = await client.get("/api/inventory/lookup/A1", headers=caller.headers())
    assert {s["location"]: s["on_hand"] for s in found.json()["stock"]} == {
        "Main": "6",
        "Shop": "4",
    }
    listed = await client.get("/api/inventory/movements", headers=caller.headers())
    assert [(m["location"], m["to_location"], m["change"]) for m in listed.json()["items"]] == [
        ("Shop", "Main", "4"),
        ("Main", "Shop", "-4"),
        ("Main", None, "10"),
    ]
    await assert_verified(client, caller)


async def test_adjustment_and_count_correction_reach_what_they_say(client, caller, move):
    await move("receipt", 10)

    lowered = await move("adjustment", 3, direction="out", reason="damaged")
    counted = await move("count_correction", 9)
    emptied = await move("count_correction", 0)

    assert lowered.json()["balance_after"] == "7"
    assert (counted.json()["change"], counted.json()["balance_after"]) == ("2", "9")
    assert emptied.json()["change"] == "-9"
    assert await on_hand(client, caller) == "0"
    await assert_verified(client, caller)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"quantity": 0}, "greater_than"),
        ({"quantity": -1}, "greater_than"),
        ({"quantity": "05"}, "decimal_parsing"),
        ({"quantity": "1e400"}, "decimal_parsing"),
        ({"quantity": "0.00001"}, "decimal_max_places"),
        ({"quantity": "NaN"}, "decimal_parsing"),
        ({"surprise": 1}, "extra_forbidden"),
        ({"kind": "adjustment", "direction": "in"}, "reason_needed"),
        ({"to_location": "Elsewhere"}, "to_location_of_transfer"),
        ({"kind": "transfer", "to_location": "Main"}, "transfer_in_place"),
        ({"reference": "a\u0007b"}, "control_characters"),
    ],
)
async def test_bad_input_is_named_and_changes_nothing(client, caller, move, more, code):
    response = await move(**({"kind": "receipt"} | more))

    assert_problem(response, ValidationFailed)
    assert code in [error["code"] for error in response.json()["errors"]]
    assert await on_hand(client, caller) == "0"


async def test_all_that_does_not_fit_the_kind_is_told_at_its_field(move):
    response = await move(kind="transfer", quantity=-5, direction="in", unit_cost=1)

    assert_problem(response, ValidationFailed)
    assert [(error["path"], error["message"]) for error in response.json()["errors"]] == [
        ("body.quantity", "Give a value greater than 0."),
        ("body.to_location", "A transfer needs a to_location: where it goes."),
        ("body.direction", "Only an adjustment or a return has a direction. Leave it out."),
        ("body.unit_cost", "Only a receipt brings a unit_cost. Leave it out."),
    ]


async def test_what_is_not_there_is_said(move):
    assert_problem(await move(item="B9"), ItemNotFound, item="B9")
    assert_problem(await move(location="Nowhere"), LocationNotFound, location="Nowhere")
    assert_problem(await move(occurred_at="2099-01-01T00:00:00Z"), MovementInFuture)


async def test_messages_come_in_french(client, caller):
    headers = caller.headers(**{"Accept-Language": "fr-CA;q=0.8, en;q=0.5"})
    body = {"kind": "issue", "item": "A1", "location": "Main", "quantity": 1}

    response = await client.post("/api/inventory/movements", json=body, headers=headers)

    assert response.headers["content-language"] == "fr"
    assert response.json()["title"] == "Stock insuffisant"


@pytest.mark.asvs("D06")
async def test_fifty_issues_of_one_from_ten_take_exactly_ten(client, caller, move):
    await move("receipt", 10)

    answers = await asyncio.gather(*(move("issue", 1) for _ in range(50)))

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201] * 10 + [409] * 40
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"insufficient_stock"}
    assert await on_hand(client, caller) == "0"
    await assert_verified(client, caller)


async def test_no_receipt_of_many_at_once_is_lost(client, caller, move):
    answers = await asyncio.gather(*(move("receipt", 1) for _ in range(400)))

    assert {answer.status_code for answer in answers} == {201}
    assert await on_hand(client, caller) == "400"
    assert sorted(int(a.json()["balance_after"]) for a in answers) == list(range(1, 401))
    await assert_verified(client, caller)


async def test_mixed_movements_of_many_items_at_once_stay_exact(
    client, caller, move, make_item, make_location
):
    await make_location("Shop")
    for code in ("B1", "B2", "B3"):
        await make_item(code)
        await move("receipt", 20, item=code)

    wanted = [
        move(kind, quantity, item=code, **more)
        for code in ("B1", "B2", "B3")
        for kind, quantity, more in [
            ("issue", 3, {}),
            ("transfer", 2, {"to_location": "Shop"}),
            ("receipt", 1, {}),
            ("count_correction", 15, {}),
        ]
        * 8
    ]
    answers = await asyncio.gather(*wanted)

    assert {answer.status_code for answer in answers} <= {201, 409}
    await assert_verified(client, caller)


async def test_the_same_key_gives_the_same_movement_once(client, caller, move):
    first = await move("receipt", 5, key="k-1")
    again = await move("receipt", 5, key="k-1")
    other = await move("receipt", 6, key="k-1")

    assert again.status_code == 201
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert_problem(other, IdempotencyKeyReused)
    assert await on_hand(client, caller) == "5"


async def test_a_movement_sent_again_is_answered_by_the_rights_of_today(client, caller):
    body = {"kind": "receipt", "item": "A1", "location": "Main", "quantity": 5, "unit_cost": 2}
    url, key = "/api/inventory/movements", {"Idempotency-Key": "k-3"}
    first = await client.post(url, json=body, headers=caller.headers(**key))
    viewer = Caller(caller.tenant_id, caller.id, scopes={"inventory:read"})
    clerk = Caller(caller.tenant_id, caller.id, scopes={"inventory:read", "stock:write"})

    refused = await client.post(url, json=body, headers=viewer.headers(**key))
    withheld = await client.post(url, json=body, headers=clerk.headers(**key))

    assert first.json()["unit_cost"] == "2"
    assert_problem(refused, MissingScope)
    assert_problem(withheld, PriceForbidden)


async def test_one_key_sent_many_times_at_once_moves_once(client, caller, move):
    answers = await asyncio.gather(*(move("receipt", 5, key="k-2") for _ in range(20)))

    assert {a.status_code for a in answers} <= {201, 409}
    assert len({a.json()["id"] for a in answers if a.status_code == 201}) == 1
    assert {a.json()["code"] for a in answers if a.status_code == 409} <= {
        "idempotency_in_progress"
    }
    assert await on_hand(client, caller) == "5"


async def test_a_refused_movement_may_be_sent_again_under_its_key(move):
    refused = await move("issue", 1, key="k-3")
    await move("receipt", 1)

    assert refused.status_code == 409
    assert (await move("issue", 1, key="k-3")).status_code == 201


async def test_costs_are_seen_only_by_those_who_may(client, caller, move):
    await move("receipt", 1, unit_cost="9.99")
    clerk = Caller(tenant_id=caller.tenant_id, scopes={"inventory:read", "stock:write"})

    seen = await client.get("/api/inventory/movements", headers=caller.headers())
    hidden = await client.get("/api/inventory/movements", headers=clerk.headers())
    body = {"kind": "receipt", "item": "A1", "location": "Main", "quantity": 1, "unit_cost": 1}
    refused = await client.post("/api/inventory/movements", json=body, headers=clerk.headers())

    assert seen.json()["items"][0]["unit_cost"] == "9.99"
    assert hidden.json()["items"][0]["unit_cost"] is None
    assert refused.status_code == 403


async def test_another_tenant_sees_nothing(client, move):
    await move("receipt", 1)
    stranger = Caller()

    assert (await client.get("/api/inventory", headers=stranger.headers())).json()["items"] == []
    found = await client.get("/api/inventory/lookup/A1", headers=stranger.headers())
    assert_problem(found, ItemNotFound)


async def test_without_the_scope_nothing_moves(client, caller):
    viewer = Caller(tenant_id=caller.tenant_id, scopes={"inventory:read"})
    body = {"kind": "receipt", "item": "A1", "location": "Main", "quantity": 1}

    response = await client.post("/api/inventory/movements", json=body, headers=viewer.headers())

    assert_problem(response, MissingScope)


async def test_one_movement_too_large_leaves_its_neighbours_alone(client, caller, move, make_item):
    """All of them meet in one group: the answer of each is its own."""
    await make_item("B1")
    await move("receipt", "99999999999000")

    answers = await asyncio.gather(
        *(move("receipt", "99999999999999" if n % 3 == 0 else "1", item="A1") for n in range(30)),
        *(move("receipt", 1, item="B1") for _ in range(20)),
    )

    for number, answer in enumerate(answers[:30]):
        if number % 3 == 0:
            assert_problem(answer, BalanceTooLarge, item="A1", location="Main")
        else:
            assert answer.status_code == 201
    assert {answer.status_code for answer in answers[30:]} == {201}
    assert await on_hand(client, caller, "B1") == "20"
    await assert_verified(client, caller)


async def test_a_transfer_too_large_names_where_it_would_not_fit(move, make_location):
    await make_location("Full")
    await move("receipt", "99999999999999", location="Full")
    await move("receipt", 1)

    answer = await move("transfer", 1, to_location="Full")

    assert_problem(answer, BalanceTooLarge, item="A1", location="Full")


async def test_an_item_and_a_location_may_be_named_by_their_ids(client, caller, move, make_item):
    item = await make_item("B1")
    places = await client.get("/api/locations", headers=caller.headers())
    place = places.json()["items"][0]

    moved = await move("receipt", 2, item=item["id"], location=place["id"])
    await move("receipt", 1, item="A1")
    listed = await client.get(
        "/api/inventory/movements",
        params={"item": item["id"], "location": place["id"]},
        headers=caller.headers(),
    )

    assert (moved.json()["item"], moved.json()["location"]) == ("B1", "Main")
    assert [movement["id"] for movement in listed.json()["items"]] == [moved.json()["id"]]


async def test_a_transfer_to_the_same_place_by_another_spelling_is_refused(move):
    await move("receipt", 2)

    assert_problem(await move("transfer", 1, to_location="MAIN"), TransferInPlace)


async def test_a_movement_shows_the_cost_that_it_brought_or_none(client, caller, move):
    brought = await move("receipt", 2, unit_cost="9.99", key="cost")
    again = await move("receipt", 2, unit_cost="9.99", key="cost")
    plain = await move("receipt", 2)
    issued = await move("issue", 1)

    listed = await client.get("/api/inventory/movements", headers=caller.headers())
    assert brought.json()["unit_cost"] == again.json()["unit_cost"] == "9.99"
    assert plain.json()["unit_cost"] is issued.json()["unit_cost"] is None
    assert [movement["unit_cost"] for movement in listed.json()["items"]] == [None, None, "9.99"]


async def test_a_broken_seal_hides_one_cost_and_no_list(client, caller, databases, move):
    await move("receipt", 1, unit_cost="9.99")
    broken = await move("receipt", 2, unit_cost="8.88", key="broken")
    owner = await asyncpg.connect(databases.superuser_dsn)
    await owner.execute(
        "UPDATE inventory.prices SET amount = set_byte(amount, 20, get_byte(amount, 20) # 1)"
        " WHERE id = (SELECT cost_id FROM inventory.movements WHERE id = $1)",
        broken.json()["id"],
    )
    await owner.close()

    listed = await client.get("/api/inventory/movements", headers=caller.headers())
    again = await move("receipt", 2, unit_cost="8.88", key="broken")

    assert [(m["unit_cost"], m.get("unreadable")) for m in listed.json()["items"]] == [
        (None, ["unit_cost"]),
        ("9.99", None),
    ]
    assert (again.status_code, again.json()["unreadable"]) == (201, ["unit_cost"])


async def test_the_language_is_chosen_once(client, caller):
    answer = await client.get("/api/inventory/movements?lang=en&lang=fr", headers=caller.headers())

    assert_problem(answer, ValidationFailed)
    assert answer.json()["errors"][0]["code"] == "given_twice"
