"""What producers really write is what they promised, to the field."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from pydantic import ConfigDict
from sqlalchemy import text

from services.inventory.app import create_app
from services.inventory.approvals import service as approvals
from services.inventory.reservations import service as reservations
from services.inventory.webhooks import service as webhooks
from services.inventory.webhooks.rules import Attempt
from shared.clock import utc_now
from shared.contracts.auth.users import UserRoleChanged
from shared.db import Stamp
from shared.journal import ArchivedNumbers, JournalDigests, JournalPage, JournalVerification
from tests.contracts.rows import CLOSED
from tests.support.inventory import make_inventory_settings
from tests.support.past import MONTHS, Past
from tests.support.services import Caller, running, service_headers

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
async def inventory(databases, service_environment):
    async with running(create_app(make_inventory_settings(databases, service_environment))) as app:
        yield app


@pytest.fixture
def caller():
    return Caller()


@pytest.fixture
def send(inventory, caller):
    async def request(method, path, body=None, **headers):
        response = await inventory.request(
            method, path, json=body, headers=caller.headers(**headers)
        )
        assert response.is_success, response.text
        return response

    return request


@pytest.fixture
async def busy(send, inventory, caller, superuser):
    """A tenant in which everything has happened that inventory journals."""
    await _make_categories(send)
    places = {
        name: (await send("POST", "/api/locations", {"name": name, "type": "warehouse"})).json()
        for name in ("Main", "Shop", "Closed")
    }
    await send("DELETE", f"/api/locations/{places['Closed']['id']}")
    item = {"code": "A1", "name": "A1", "unit_cost": "2", "price": "3", "par_level": "20",
            "reorder_point": "5", "reorder_quantity": "10", "lead_time_days": 3}  # fmt: skip
    await send("POST", "/api/inventory/add-item", {"code": "B1", "name": "B1"})
    made = (await send("POST", "/api/inventory/add-item", item)).json()
    await send(
        "PATCH",
        f"/api/inventory/{made['id']}",
        {
            "category": "Pasta",
            "attributes": {"weight_g": 500.5},
            "packs": [{"unit": "case", "quantity": "12"}],
            "barcodes": ["4006381333931", {"code": "14006381333938", "unit": "case"}],
        },
    )
    planning = f"/api/inventory/{made['id']}/planning/{places['Main']['id']}"
    await send("PUT", planning, {"reorder_point": "5", "maximum": "40"})
    await send("DELETE", planning)
    lines = [
        {"kind": "receipt", "quantity": "10"},
        {"kind": "receipt", "quantity": "10", "unit_cost": "2.5", "reference": "PO-1"},
        {"kind": "issue", "quantity": "0.25", "unit": "case", "reason": "sale"},
        {"kind": "transfer", "quantity": "2.5", "to_location": "Shop"},
        {"kind": "adjustment", "quantity": "1", "direction": "out", "reason": "damaged"},
        {"kind": "write_off", "quantity": "1", "reason_code": "expired"},
        {"kind": "return", "quantity": "1", "reason_code": "not_needed"},
        {"kind": "count_correction", "quantity": "12", "reason": "count"},
    ]
    lines = [{"item": "A1", "location": "Main", **line} for line in lines]
    for number, line in enumerate(lines):
        key = {"Idempotency-Key": f"line-{number}"}
        moved = (await send("POST", "/api/inventory/movements", line, **key)).json()
    await send("POST", f"/api/inventory/movements/{moved['id']}/reverse", {"reason": "typo"})
    await send("POST", "/api/inventory/movements/bulk", {"lines": lines})
    await send("POST", "/api/locations", {"name": "On the road", "type": "transit"})
    await _transfer(send)
    await _use_lots(send)
    await _use_serials(send)
    await _use_kits(send)
    await _ask_for_approvals(send, inventory, caller)
    await _freeze_and_close(send)
    await _reserve(send, inventory, caller)
    await _count(send)
    await _use_webhooks(send, inventory, caller)
    await _let_a_month_leave(inventory, caller, superuser)
    viewer = Caller(caller.tenant_id, scopes=["inventory:read"])
    assert (await inventory.post("/api/locations", headers=viewer.headers())).status_code == 403


async def _transfer(send):
    """Have something dispatched, expected, and received in two deliveries."""
    transfer = {"item": "A1", "location": "Main", "to_location": "Shop", "quantity": "2"}
    sent = (await send("POST", "/api/inventory/transfers", transfer)).json()
    path = f"/api/inventory/transfers/{sent['id']}"
    await send("PATCH", path, {"expected_at": "2030-01-31T12:00:00Z"})
    for final in (False, True):
        await send("POST", f"{path}/receive", {"quantity": "0.5", "final": final})
    off = (await send("POST", "/api/inventory/transfers", transfer)).json()
    await send("POST", f"/api/inventory/transfers/{off['id']}/cancel", {"reason": "No truck."})


async def _freeze_and_close(send):
    """Have an item frozen and thawed, and a period closed and reopened."""
    freeze = {"scope": "item", "item": "A1", "reason": "count"}
    made_freeze = (await send("POST", "/api/inventory/freezes", freeze)).json()
    await send("DELETE", f"/api/inventory/freezes/{made_freeze['id']}?note=done")
    closed = (await send("POST", "/api/inventory/periods", {"last_day": "2026-01-31"})).json()
    await send("POST", f"/api/inventory/periods/{closed['id']}/reopen", {"reason": "late"})


async def _reserve(send, inventory, caller):
    """Have something held longer, committed, released, and expired."""
    path = "/api/inventory/reservations"
    body = {"lines": [{"item": "A1", "location": "Main", "quantity": "3"}], "reference": "SO-1"}
    held = (await send("POST", path, body)).json()["id"]
    later = (utc_now() + timedelta(days=9)).isoformat()
    await send("PATCH", f"{path}/{held}", {"expires_at": later})
    for act in ("commit", "release"):
        await send("POST", f"{path}/{held}/{act}", {"lines": [{"line": 0, "quantity": "1"}]})
    resources = inventory._transport.app.state.resources
    async with resources.database.transaction(Stamp(caller.tenant_id, "test")) as session:
        for statement in (
            "UPDATE reservation_holds SET expires_at = now()",
            "UPDATE levels SET holds_until = now()",
        ):
            await session.execute(text(statement))
    async with resources.database.transaction(Stamp(caller.tenant_id, "worker")) as session:
        await reservations.expire_due(session)


async def _ask_for_approvals(send, inventory, caller):
    """Have approvals given, rejected, withdrawn, overtaken and left to lapse, and limits set."""
    path, boss = "/api/inventory/approvals", Caller(caller.tenant_id)
    await send("PUT", f"{path}/limits", {"limits": [{"role": "admin", "amount": "100"}]})
    await send("POST", "/api/inventory/add-item", {"code": "V1", "name": "V1", "unit_cost": "60"})
    line = {"item": "V1", "location": "Main", "quantity": "90"}
    await send("POST", "/api/inventory/movements", line | {"kind": "receipt"})
    broken = line | {"kind": "write_off", "quantity": "2", "reason_code": "damaged"}
    lines = [broken | {"reference": f"Fire {n}"} for n in range(5)]
    asked = [(await send("POST", "/api/inventory/movements", each)).json()["id"] for each in lines]
    for number, act in enumerate(("approve", "reject")):
        answer = await inventory.post(
            f"{path}/{asked[number]}/{act}",
            json={"reason": "no"} if act == "reject" else None,
            headers=boss.headers(),
        )
        assert answer.is_success, answer.text
    await send("POST", f"{path}/{asked[2]}/withdraw", {})
    count = line | {"kind": "count_correction", "quantity": "88"}
    await send("POST", "/api/inventory/movements", count)
    stale = await inventory.post(f"{path}/{asked[3]}/approve", headers=boss.headers())
    assert stale.json()["code"] == "approval_stale", stale.text
    resources = inventory._transport.app.state.resources
    async with resources.database.transaction(Stamp(caller.tenant_id, "worker")) as session:
        await approvals.expire_due(session, now=utc_now() + timedelta(days=8))


async def _use_kits(send):
    """Have a kit assembled, taken apart, and none any more."""
    await send("POST", "/api/inventory/add-item", {"code": "K1", "name": "K1"})
    kit = {"item": "K1", "components": [{"item": "A1", "quantity": "1"}]}
    path = f"/api/inventory/kits/{(await send('POST', '/api/inventory/kits', kit)).json()['id']}"
    await send("POST", f"{path}/assemble", {"quantity": "1", "location": "Main"})
    await send("POST", f"{path}/disassemble", {"quantity": "1", "location": "Main"})
    await send("DELETE", path)


async def _count(send):
    """Have one count posted after a line was counted again, and another one cancelled."""
    path, scope = "/api/inventory/counts", {"locations": ["Main"], "tolerance_percent": "2"}
    posted, gone = [(await send("POST", path, scope)).json()["id"] for _ in range(2)]
    lines = {"lines": [{"item": "A1", "location": "Main", "quantity": "9"}]}
    await send("PUT", f"{path}/{posted}/lines", lines)
    await send("POST", f"{path}/{posted}/recount", {"lines": [1], "same_counter": True})
    await send("PUT", f"{path}/{posted}/lines", lines)
    await send("POST", f"{path}/{posted}/post", {"uncounted": "keep"})
    await send("POST", f"{path}/{gone}/cancel", {"reason": "Wrong aisle."})


async def _make_categories(send):
    """Have two categories saved, and one removed."""
    parent = (await send("POST", "/api/categories", {"name": "Dry"})).json()
    schema = {"properties": {"weight_g": {"type": "number"}}}
    child = {"name": {"en": "Pasta", "fr": "Pâtes"}, "parent": parent["id"],
             "attribute_schema": schema}  # fmt: skip
    await send("POST", "/api/categories", child)
    gone = (await send("POST", "/api/categories", {"name": "Gone"})).json()
    await send("DELETE", f"/api/categories/{gone['id']}")


async def _use_lots(send):
    """Have two lots received, issued from at once, and one corrected."""
    item = {"code": "L1", "name": "L1", "tracking": "lot"}
    made = (await send("POST", "/api/inventory/add-item", item)).json()
    line = {"item": "L1", "location": "Main", "quantity": "2"}
    for lot in ("A", "B"):
        body = line | {"kind": "receipt", "lot": lot, "expires_on": "2099-12-31"}
        await send("POST", "/api/inventory/movements", body)
    await send("POST", "/api/inventory/movements", line | {"kind": "issue", "quantity": "3"})
    path = f"/api/inventory/{made['id']}/lots"
    [lot, _] = (await send("GET", path)).json()["items"]
    await send("PATCH", f"{path}/{lot['id']}", {"expires_on": None})


async def _use_serials(send):
    """Have serials moved, and one of them lost and another found on the way to another place."""
    await send(
        "POST", "/api/inventory/add-item", {"code": "N1", "name": "N1", "tracking": "serial"}
    )
    line = {"item": "N1", "location": "Main", "serials": ["X1", "X2"]}
    await send("POST", "/api/inventory/movements", line | {"kind": "receipt"})
    sent = (await send("POST", "/api/inventory/transfers", line | {"to_location": "Shop"})).json()
    path = f"/api/inventory/transfers/{sent['id']}/receive"
    await send("POST", path, {"serials": ["X1", "X3"], "over_received": True})


async def _use_webhooks(send, inventory, caller):
    """Have a secret rotated, one webhook removed, and others off: it is gone, its owner's role."""
    path = "/api/webhooks"
    hook, gone, _ = [
        (await send("POST", path, {"url": f"https://hooks.example.com/{n}"})).json()["id"]
        for n in range(3)
    ]
    await send("DELETE", f"{path}/{gone}")
    await send("POST", f"{path}/{hook}/rotate-secret", {})
    await send("POST", f"{path}/{hook}/ping")
    resources = inventory._transport.app.state.resources
    async with resources.database.transaction(Stamp(caller.tenant_id, "worker")) as session:
        message = await webhooks.take_next(
            session, caller.tenant_id, UUID(hook), sealer=resources.own.secrets, now=utc_now()
        )
        await webhooks.finish(session, message, Attempt(status=410), now=utc_now())
        data = {"user_id": str(caller.id), "before": "admin", "after": "clerk"}
        demoted = {"type": UserRoleChanged.name, "data": data, "recorded_at": f"{utc_now()}"}
        await webhooks.disable_of_lost_owners(session, [demoted])


async def _let_a_month_leave(inventory, caller, superuser):
    """Have what was recorded first leave the ledger, as if it had been years ago."""
    resources = inventory._transport.app.state.resources
    past = Past(superuser, resources.database, caller.tenant_id)
    await past.begin()
    await past.age(MONTHS[0], count=1)
    await past.detach(MONTHS[0])
    await past.clear()


async def test_every_row_of_inventorys_journal_is_as_promised(busy, superuser, caller):
    rows = await superuser.fetch(
        "SELECT type, subject, data FROM inventory.journal WHERE tenant_id = $1", caller.tenant_id
    )

    for row in rows:
        entry = CLOSED[row["type"]].model_validate_json(row["data"])
        assert entry.subject == row["subject"]
    promised = {name for name in CLOSED if name.startswith("inventory.")}
    assert {row["type"] for row in rows} == promised


async def test_a_row_that_a_statement_writes_has_every_field(busy, superuser, caller):
    """Movements are written by SQL: what it leaves out, no model fills in."""
    rows = await superuser.fetch(
        "SELECT data FROM inventory.journal WHERE tenant_id = $1 "
        "AND type = 'inventory.stock-moved.v1'", caller.tenant_id
    )  # fmt: skip

    moved = CLOSED["inventory.stock-moved.v1"]
    required = {name for name, field in moved.model_fields.items() if field.is_required()}
    seen = [moved.model_validate_json(row["data"]) for row in rows]
    assert all(required <= entry.model_fields_set for entry in seen)
    assert {entry.kind for entry in seen} == {
        "receipt", "issue", "transfer", "return", "write_off", "adjustment", "count_correction",
        "reversal", "assembly", "disassembly",
    }  # fmt: skip
    assert {entry.leg for entry in seen} == {0, 1, 2, 3}
    assert {entry.amount_sealed is None for entry in seen} == {True, False}


async def test_the_feed_answers_as_promised(busy, inventory):
    page = await _answer(inventory, "/internal/journal", {"limit": 5})
    verified = await _answer(inventory, "/internal/journal/verify")

    closed = type("Closed", (JournalPage,), {"model_config": ConfigDict(extra="forbid")})
    assert len(closed.model_validate_json(page).entries) == 5
    closed = type("Closed", (JournalVerification,), {"model_config": ConfigDict(extra="forbid")})
    assert closed.model_validate_json(verified).ok
    digests = await _answer(inventory, "/internal/journal/digests", {"limit": 5, "details": True})
    closed = type("Closed", (JournalDigests,), {"model_config": ConfigDict(extra="forbid")})
    assert len(closed.model_validate_json(digests).digests) == 5
    archived = await _answer(inventory, "/internal/journal/archived")
    closed = type("Closed", (ArchivedNumbers,), {"model_config": ConfigDict(extra="forbid")})
    assert closed.model_validate_json(archived).next is None


async def _answer(client: httpx.AsyncClient, path, params=None):
    response = await client.get(path, params=params, headers=service_headers())
    assert response.status_code == 200, response.text
    return response.content
