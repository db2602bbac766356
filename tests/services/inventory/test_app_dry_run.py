"""`dry_run=true` on each change: answered as it would be, and nothing at all is changed."""

import re
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from services.inventory.app import create_app
from services.inventory.freezes.errors import Frozen
from services.inventory.ledger.errors import InsufficientStock
from services.inventory.ledger.metrics import movements
from services.inventory.movements.errors import BulkRefused
from shared.clock import utc_now
from shared.errors import MissingScope, ValidationFailed
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack

SOON = (utc_now() + timedelta(days=9)).isoformat()
HOOK = "https://hooks.example.com/stock"
LINE = {"kind": "issue", "item": "A1", "location": "Main", "quantity": 2}
# Each operation that changes something, with a body that it takes; a new one needs a line.
BODIES = {
    "POST /api/categories": {"name": "Coffee"},
    "PATCH /api/categories/{category_id}": {"name": "Green tea"},
    "DELETE /api/categories/{category_id}": None,
    "POST /api/inventory": {"code": "N1", "name": "New", "unit_cost": "2", "category": "Dry"},
    "POST /api/inventory/add-item": {"code": "N1", "name": "New", "barcodes": ["4006381333931"]},
    "PUT /api/inventory/{item_id}": {"code": "A2", "name": "Other", "price": "3"},
    "PATCH /api/inventory/{item_id}": {"unit_cost": "9"},
    "DELETE /api/inventory/{empty_item_id}": None,
    "POST /api/inventory/movements": LINE,
    "POST /api/inventory/movements/bulk": {"lines": [LINE, LINE | {"kind": "receipt"}]},
    "POST /api/inventory/movements/{movement_id}/reverse": {"reason": "x"},
    "POST /api/inventory/kits": {"item": "E1", "components": [{"item": "A1", "quantity": 1}]},
    "PUT /api/inventory/kits/{kit_id}": {"components": [{"item": "F1", "quantity": 1}]},
    "DELETE /api/inventory/kits/{kit_id}": None,
    "POST /api/inventory/kits/{kit_id}/assemble": {"quantity": 1, "location": "Main"},
    "POST /api/inventory/kits/{kit_id}/disassemble": {"quantity": 1, "location": "Main"},
    "PUT /api/inventory/{item_id}/planning/{location_id}": {"reorder_point": "12"},
    "DELETE /api/inventory/{item_id}/planning/{location_id}": None,
    "POST /api/inventory/freezes": {"scope": "everything", "reason": "x"},
    "DELETE /api/inventory/freezes/{freeze_id}": None,
    "POST /api/inventory/periods": {"last_day": "2026-02-28"},
    "POST /api/inventory/periods/{period_id}/reopen": {"reason": "x"},
    "POST /api/inventory/counts": {"locations": ["Main"], "title": "x"},
    "PUT /api/inventory/counts/{count_id}/lines": {
        "lines": [{"item": "A1", "location": "Main", "quantity": "1"}]
    },
    "POST /api/inventory/counts/{count_id}/recount": {"lines": [1], "same_counter": True},
    "POST /api/inventory/counts/{count_id}/post": {"uncounted": "keep"},
    "POST /api/inventory/counts/{count_id}/cancel": {"reason": "x"},
    "POST /api/inventory/approvals/{approval_id}/approve": None,
    "POST /api/inventory/approvals/{approval_id}/reject": {"reason": "x"},
    "POST /api/inventory/approvals/{own_approval_id}/withdraw": {"reason": "x"},
    "PUT /api/inventory/approvals/limits": {"limits": [{"role": "clerk", "amount": "5"}]},
    "POST /api/inventory/reservations": {
        "lines": [{"item": "A1", "location": "Main", "quantity": "1"}],
        "expires_at": SOON,
    },
    "PATCH /api/inventory/reservations/{reservation_id}": {"expires_at": SOON},
    "POST /api/inventory/reservations/{reservation_id}/commit": {},
    "POST /api/inventory/reservations/{reservation_id}/release": {},
    "POST /api/inventory/transfers": {
        "item": "A1",
        "location": "Main",
        "to_location": "Empty",
        "quantity": "2",
    },
    "PATCH /api/inventory/transfers/{transfer_id}": {"expected_at": SOON},
    "POST /api/inventory/transfers/{transfer_id}/receive": {"quantity": "1"},
    "POST /api/inventory/transfers/{transfer_id}/cancel": {"reason": "No truck."},
    "POST /api/locations": {"name": "New", "type": "warehouse"},
    "PATCH /api/locations/{location_id}": {"capacity": "7"},
    "DELETE /api/locations/{empty_location_id}": None,
    "PATCH /api/inventory/{tracked_item_id}/lots/{lot_id}": {"expires_on": "2099-12-31"},
    "POST /api/webhooks": {"url": HOOK},
    "PATCH /api/webhooks/{webhook_id}": {"description": "New"},
    "DELETE /api/webhooks/{webhook_id}": None,
    "POST /api/webhooks/{webhook_id}/rotate-secret": {},
    "POST /api/webhooks/{webhook_id}/ping": None,
    "POST /api/webhooks/{webhook_id}/replay": {"from_sequence": 1},
}
# It sends what is there only once the worker has looked: otherwise as a ping.
UNTRIED = {"POST /api/webhooks/{webhook_id}/deliveries/{event_id}/resend"}
VOLATILE = {
    "id", "item_id", "category_id", "event_id", "secret", "occurred_at", "recorded_at",
    "created_at", "updated_at", "closed_at", "reopened_at", "frozen_at", "happened_at",
    "movements", "previous_until", "dispatched_at", "received_at", "next_attempt_at", "opened_at",
    "decided_at",
}  # fmt: skip


def operations():
    """Yield each operation whose document says that it can be tried."""
    for path, methods in create_app(None).openapi()["paths"].items():
        for method, operation in methods.items():
            names = {parameter["name"] for parameter in operation["parameters"]}
            if "dry_run" in names:
                yield f"{method.upper()} {path}", operation


@pytest.fixture
async def names(client, caller, make_item, make_location, move):
    """Give the ids that paths name, of a tenant that has one of everything."""

    async def send(path, body):
        answer = await client.post(path, json=body, headers=caller.headers())
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    item = await make_item("A1")
    place = await make_location("Main")
    await make_item("F1")
    await move("receipt", 10)
    planned = f"/api/inventory/{item['id']}/planning/{place['id']}"
    await client.put(planned, json={"par_level": "5"}, headers=caller.headers())
    empty = await make_location("Empty")
    goal = await make_location("Shop")
    await make_location("On the road", "transit")
    transfer = LINE | {"to_location": goal["id"]}
    del transfer["kind"]
    tracked = (await make_item("T1", tracking="lot"))["id"]
    await move("receipt", 1, item="T1", lot="L1")
    lots = await client.get(f"/api/inventory/{tracked}/lots", headers=caller.headers())
    await make_item("V1", unit_cost="600")
    await move("receipt", 10, item="V1")
    await make_item("K1")
    await move("receipt", 1, item="K1")
    parts = {"item": "K1", "components": [{"item": "A1", "quantity": "1"}]}
    return {
        "kit_id": await send("/api/inventory/kits", parts),
        "count_id": await _count(client, caller, send),
        "transfer_id": await send("/api/inventory/transfers", transfer),
        "reservation_id": await send(
            "/api/inventory/reservations",
            {"lines": [{"item": "A1", "location": "Main", "quantity": "2"}]},
        ),
        "item_id": item["id"],
        "approval_id": await _ask(client, Caller(caller.tenant_id)),
        "own_approval_id": await _ask(client, caller),
        "tracked_item_id": tracked,
        "lot_id": lots.json()["items"][0]["id"],
        "empty_item_id": (await make_item("E1"))["id"],
        "location_id": place["id"],
        "empty_location_id": empty["id"],
        "category_id": await send("/api/categories", {"name": "Tea"}),
        "webhook_id": await send("/api/webhooks", {"url": HOOK}),
        "movement_id": (await move("issue", 1)).json()["id"],
        "freeze_id": await send(
            "/api/inventory/freezes", {"scope": "item", "item": "F1", "reason": "x"}
        ),
        "period_id": await send("/api/inventory/periods", {"last_day": "2026-01-31"}),
    }


async def _count(client, caller, send):
    """Open a count of Main, of which one line is counted."""
    count_id = await send("/api/inventory/counts", {"locations": ["Main"]})
    lines = {"lines": [{"item": "A1", "location": "Main", "quantity": "7"}]}
    path = f"/api/inventory/counts/{count_id}/lines"
    assert (await client.put(path, json=lines, headers=caller.headers())).status_code == 200
    return count_id


async def _ask(client, who):
    """Let somebody ask for what needs approval, and return its id."""
    body = LINE | {"kind": "write_off", "item": "V1", "reason_code": "lost"}
    path = "/api/inventory/movements"
    answer = await client.post(path, json=body, headers=who.headers())
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


@pytest.fixture
async def everything(databases, caller):
    """Give what every table of the service holds of the tenant: rows, and a sum over them."""
    connection = await asyncpg.connect(databases.superuser_dsn)

    async def read():
        tables = await connection.fetch(
            "SELECT table_name FROM information_schema.columns WHERE table_schema = 'inventory'"
            " AND column_name = 'tenant_id' ORDER BY 1"
        )
        return {
            row[0]: tuple(
                await connection.fetchrow(
                    f"SELECT count(*), sum(hashtextextended(t::text, 0)::numeric)"  # noqa: S608 - its own names.
                    f" FROM inventory.{row[0]} t WHERE tenant_id = $1",
                    caller.tenant_id,
                )
            )
            for row in tables
        }

    yield read
    await connection.close()


def counted():
    return [sample for metric in movements.collect() for sample in metric.samples]


def lasting(body):
    """Return an answer without what is new each time."""
    match body:
        case dict():
            return {
                name: lasting(value)
                for name, value in body.items()
                if name not in VOLATILE or value is None
            }
        case list():
            return [lasting(each) for each in body]
        case _:
            return body


def test_each_operation_that_changes_something_can_be_tried():
    named = {re.sub(r"\{(empty|own|tracked)_", "{", operation) for operation in BODIES}

    assert {name for name, _ in operations()} == named | UNTRIED
    for _, operation in operations():
        answers = [one for code, one in operation["responses"].items() if code.startswith("2")]
        assert all("Dry-Run" in answer["headers"] for answer in answers)


@pytest.mark.parametrize("operation", BODIES)
async def test_what_is_tried_is_answered_as_if_it_were_done_and_changes_nothing(
    client, caller, names, everything, operation
):
    method, template = operation.split()
    path, body = template.format(**names), BODIES[operation]
    headers = caller.headers(**({"Idempotency-Key": "tried"} if method == "POST" else {}))
    before, metrics = await everything(), counted()

    async def send(**query):
        return await client.request(method, path, params=query, json=body, headers=headers)

    tried = [await send(dry_run=word) for word in ("true", "1")]
    unchanged = await everything()
    uncounted = counted()
    done = await send(dry_run="false")

    assert before == unchanged
    assert metrics == uncounted
    assert await everything() != before
    assert "dry-run" not in done.headers
    assert "idempotency-replayed" not in done.headers
    for answer in tried:
        assert answer.headers["dry-run"] == "true"
        assert "etag" not in answer.headers
        assert answer.status_code == done.status_code, answer.text
        if done.content:
            assert lasting(answer.json()) == lasting(done.json())


async def test_what_would_be_refused_is_refused_with_the_same_words(
    client, caller, names, everything
):
    before = await everything()

    async def send(path, body, who=caller):
        return await client.post(f"{path}?dry_run=true", json=body, headers=who.headers())

    single = await send("/api/inventory/movements", LINE | {"quantity": 99})
    frozen = await send("/api/inventory/movements", LINE | {"item": "F1"})
    bulk = await send("/api/inventory/movements/bulk", {"lines": [LINE | {"quantity": 99}]})
    unchanged = await everything()
    viewer = await send(
        "/api/inventory/movements", LINE, Caller(caller.tenant_id, scopes={"inventory:read"})
    )

    assert_problem(single, InsufficientStock, available="5", requested="99")
    assert_problem(frozen, Frozen)
    assert_problem(bulk, BulkRefused, refused=1)
    assert unchanged == before
    assert_problem(viewer, MissingScope)  # Which is journaled: an attempt is an attempt.


async def test_a_bulk_call_is_tried_line_by_line_each_after_those_before(client, caller, names):
    lines = [LINE | {"quantity": 3}, LINE | {"quantity": 3}, LINE | {"quantity": 2}]

    tried = await client.post(
        "/api/inventory/movements/bulk?dry_run=true",
        json={"mode": "each", "lines": lines},
        headers=caller.headers(),
    )

    assert [(row["status"], row["balance_after"]) for row in tried.json()["results"]] == [
        ("applied", "4"), ("refused", None), ("applied", "2")
    ]  # fmt: skip


async def test_it_is_a_word_of_changes_alone_and_true_or_false(client, caller, names):
    headers = caller.headers()
    path = "/api/inventory/movements"

    for answer in (
        await client.get(f"{path}?dry_run=true", headers=headers),
        await client.post(
            "/api/inventory/lookup?dry_run=true", json={"codes": ["A1"]}, headers=headers
        ),
        await client.post(f"{path}?dry_run=yes", json=LINE, headers=headers),
        await client.post(f"{path}?dry_run=true&dry_run=false", json=LINE, headers=headers),
    ):
        assert_problem(answer, ValidationFailed)
        assert answer.json()["errors"][0]["path"] == "query.dry_run"


async def test_a_real_change_may_follow_under_the_same_key(client, caller, names):
    path, headers = "/api/inventory/movements", caller.headers(**{"Idempotency-Key": "k"})

    tried = await client.post(f"{path}?dry_run=true", json=LINE, headers=headers)
    done = await client.post(path, json=LINE, headers=headers)
    again = await client.post(path, json=LINE, headers=headers)

    assert (tried.status_code, done.status_code) == (201, 201)
    assert UUID(tried.json()["id"]) != UUID(done.json()["id"])
    assert again.json() == done.json()
