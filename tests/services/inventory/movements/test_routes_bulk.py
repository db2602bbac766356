import asyncio

import pytest

from services.inventory.movements.errors import BulkRefused
from shared.errors import IdempotencyInProgress, IdempotencyKeyReused, ValidationFailed
from tests.support.services import Caller, assert_problem
from tests.support.waiting import until_blocked_by

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
async def place(make_location, make_item):
    await make_location("Main")
    await make_location("Shop")
    for code in ("A1", "B1"):
        await make_item(code)


@pytest.fixture
def bulk(client, caller):
    async def post(*lines, mode="atomic", key=None):
        body = {
            "mode": mode,
            "lines": [
                {"kind": kind, "item": item, "location": "Main", "quantity": quantity, **more}
                for kind, item, quantity, more in lines
            ],
        }
        headers = caller.headers(**({"Idempotency-Key": key} if key else {}))
        return await client.post("/api/inventory/movements/bulk", json=body, headers=headers)

    return post


async def on_hand(client, caller, item):
    found = await client.get(f"/api/inventory/lookup/{item}", headers=caller.headers())
    return found.json()["on_hand"]


async def test_lines_apply_in_their_order(bulk, client, caller):
    answer = await bulk(
        ("receipt", "A1", 10, {}),
        ("transfer", "A1", 4, {"to_location": "Shop"}),
        ("issue", "A1", 6, {}),
        ("count_correction", "A1", 2, {}),
        ("issue", "A1", 1, {"location": "Shop"}),
    )

    assert answer.status_code == 201, answer.text
    assert [line["balance_after"] for line in answer.json()["results"]] == [
        "10", "6", "0", "2", "3",
    ]  # fmt: skip
    verified = await client.get("/api/inventory/verify", headers=caller.headers())
    assert verified.json()["ok"], verified.text


async def test_atomic_is_all_or_nothing_and_names_the_lines(bulk, client, caller):
    answer = await bulk(("receipt", "A1", 5, {}), ("issue", "B1", 1, {}), ("issue", "NONE", 1, {}))

    assert_problem(answer, BulkRefused, refused=2)
    assert [(r["line"], r["code"]) for r in answer.json()["results"]] == [
        (1, "insufficient_stock"),
        (2, "item_not_found"),
    ]
    assert await on_hand(client, caller, "A1") == "0"


async def test_each_applies_what_is_possible(bulk, client, caller):
    answer = await bulk(
        ("receipt", "A1", 5, {}),
        ("issue", "A1", 7, {}),
        ("issue", "A1", 2, {}),
        ("issue", "NONE", 1, {}),
        ("receipt", "B1", 1, {}),
        mode="each",
    )

    body = answer.json()
    assert (body["applied"], body["refused"]) == (3, 2)
    assert [line["status"] for line in body["results"]] == [
        "applied", "refused", "applied", "refused", "applied",
    ]  # fmt: skip
    assert body["results"][1]["available"] == "5"
    assert await on_hand(client, caller, "A1") == "3"


async def test_calls_at_once_on_the_same_items_lose_nothing(bulk, client, caller):
    both = [("receipt", "A1", 1, {}), ("receipt", "B1", 1, {})]

    answers = await asyncio.gather(
        *(bulk(*(both if n % 2 else both[::-1]) * 100) for n in range(8))
    )

    assert [answer.status_code for answer in answers] == [201] * 8
    assert await on_hand(client, caller, "A1") == await on_hand(client, caller, "B1") == "800"
    verified = await client.get("/api/inventory/verify", headers=caller.headers())
    assert verified.json()["ok"], verified.text


async def test_a_call_repeated_under_its_key_is_done_once(bulk, client, caller):
    first = await bulk(("receipt", "A1", 5, {}), key="bulk-1")
    again = await bulk(("receipt", "A1", 5, {}), key="bulk-1")

    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert await on_hand(client, caller, "A1") == "5"


async def test_a_bad_line_is_named_and_nothing_is_applied(bulk, client, caller):
    answer = await bulk(("receipt", "A1", 5, {}), ("receipt", "A1", -1, {}))

    assert_problem(answer, ValidationFailed)
    assert answer.json()["errors"][0]["path"] == "body.lines.1.quantity"
    assert await on_hand(client, caller, "A1") == "0"


async def test_in_mode_each_a_bad_line_is_refused_alone_with_its_number(bulk, client, caller):
    answer = await bulk(
        ("receipt", "A1", 5, {}),
        ("receipt", "A1", 5, {"occurred_at": "2099-01-01T00:00:00Z"}),
        ("receipt", "A1", 0, {}),
        ("adjustment", "A1", 1, {"direction": "in"}),
        ("receipt", "A1", 1, {"surprise": 1}),
        ("receipt", "A1", "99999999999999", {}),
        ("transfer", "A1", 1, {"to_location": "MAIN"}),
        ("issue", "A1", 2, {}),
        mode="each",
    )

    assert answer.status_code == 201, answer.text
    assert [(line["line"], line["code"]) for line in answer.json()["results"]] == [
        (0, None),
        (1, "movement_in_future"),
        (2, "validation_failed"),
        (3, "validation_failed"),
        (4, "validation_failed"),
        (5, "balance_too_large"),
        (6, "transfer_in_place"),
        (7, None),
    ]
    assert "surprise" in answer.json()["results"][4]["message"]
    assert await on_hand(client, caller, "A1") == "3"


async def test_in_mode_each_a_cost_that_may_not_be_set_refuses_its_line_alone(client, caller):
    clerk = Caller(tenant_id=caller.tenant_id, scopes={"inventory:read", "stock:write"})
    line = {"kind": "receipt", "item": "A1", "location": "Main", "quantity": 1}
    body = {"mode": "each", "lines": [line, line | {"unit_cost": "2"}, line]}

    answer = await client.post("/api/inventory/movements/bulk", json=body, headers=clerk.headers())

    assert [line["code"] for line in answer.json()["results"]] == [None, "price_forbidden", None]
    assert await on_hand(client, caller, "A1") == "2"


async def test_lines_that_are_no_objects_are_refused_alone_too(client, caller):
    line = {"kind": "receipt", "item": "A1", "location": "Main", "quantity": 1}
    body = {"mode": "each", "lines": [7, line, None, [], "x"]}

    answer = await client.post("/api/inventory/movements/bulk", json=body, headers=caller.headers())

    assert (answer.json()["applied"], answer.json()["refused"]) == (1, 4)


async def test_every_line_may_be_refused(bulk, client, caller):
    answer = await bulk(("receipt", "A1", 0, {}), ("issue", "NONE", 1, {}), mode="each")

    assert (answer.status_code, answer.json()["applied"], answer.json()["refused"]) == (201, 0, 2)


async def test_no_line_of_an_atomic_call_is_applied_beside_one_too_large(bulk, client, caller):
    answer = await bulk(("receipt", "A1", "99999999999999", {}), ("receipt", "A1", 2, {}))

    assert_problem(answer, BulkRefused, refused=1)
    assert answer.json()["results"][0]["code"] == "balance_too_large"
    assert await on_hand(client, caller, "A1") == "0"


async def test_in_mode_each_no_line_need_be_a_movement(client, caller):
    body = {"mode": "each", "lines": [5, {"kind": "receipt"}]}

    answer = await client.post("/api/inventory/movements/bulk", json=body, headers=caller.headers())

    assert (answer.status_code, answer.json()["applied"], answer.json()["refused"]) == (201, 0, 2)


async def test_a_key_under_way_in_one_call_is_not_waited_for_by_another(
    bulk, client, caller, databases, other
):
    """Waiting for it, with its own levels held, a movement could close a circle."""
    await bulk(("receipt", "A1", 5, {}), ("receipt", "B1", 5, {}))
    movement = {"kind": "receipt", "item": "B1", "location": "Main", "quantity": 1}
    headers = caller.headers(**{"Idempotency-Key": "k-1"})
    lines = ("receipt", "A1", 1, {}), ("receipt", "B1", 1, {})
    async with other.transaction():
        await other.execute(_HOLD_LEVELS, caller.tenant_id)
        whole = asyncio.create_task(bulk(*lines, key="k-1"))
        await until_blocked_by(databases, other)
        meanwhile = await client.post("/api/inventory/movements", json=movement, headers=headers)

    applied = await whole
    afterwards = await client.post("/api/inventory/movements", json=movement, headers=headers)

    assert_problem(meanwhile, IdempotencyInProgress)
    assert applied.status_code == 201, applied.text
    assert_problem(afterwards, IdempotencyKeyReused)


_HOLD_LEVELS = """
    SELECT FROM inventory.levels v JOIN inventory.items i ON i.id = v.item_id
    WHERE v.tenant_id = $1 AND i.code = 'A1' FOR UPDATE OF v"""
