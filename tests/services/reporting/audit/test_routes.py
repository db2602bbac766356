from datetime import datetime, timedelta

import orjson
import pytest

from shared.errors import MissingScope, ValidationFailed
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack

URL = "/api/audit"
MOVE = "/api/inventory/movements"


@pytest.fixture
async def history(inventory, caller, follow):
    """What two people did, each under request ids of their own; gives the second one."""
    other = Caller(tenant_id=caller.tenant_id)

    async def do(path, by, request_id, **body):
        headers = by.headers(**{"X-Request-ID": request_id})
        response = await inventory.post(path, json=body, headers=headers)
        assert response.status_code == 201, response.text
        return response.json()

    await do("/api/locations", caller, "r-location", name="Main", type="warehouse")
    await do("/api/inventory/add-item", caller, "r-item", code="PASTA", name="Pâtes", unit_cost=2)
    for number in range(3):
        await do(
            MOVE, other, f"r-{number}", kind="receipt", item="PASTA", location="Main",
            quantity=number + 1, reference=f"PO_{number}%",
        )  # fmt: skip
    await follow()
    return other


async def test_the_trail_holds_every_entry_of_the_journal_newest_first(
    history, get, superuser, caller
):
    found = await get(URL)

    journal = await superuser.fetch(
        """SELECT id, seq, type, subject, actor, request_id, recorded_at, data
           FROM inventory.journal WHERE tenant_id = $1 ORDER BY recorded_at DESC, seq DESC""",
        caller.tenant_id,
    )
    assert len(journal) == 6
    assert found["next_cursor"] is None
    for entry, row in zip(found["items"], journal, strict=True):
        assert entry["service"] == "inventory"
        assert entry["id"] == str(row["id"])
        assert entry["data"] == orjson.loads(row["data"])
        assert datetime.fromisoformat(entry["recorded_at"]) == row["recorded_at"]
        for name in ("seq", "type", "subject", "actor", "request_id"):
            assert entry[name] == row[name]


@pytest.mark.parametrize(
    ("asked", "types"),
    [
        ({"service": "inventory", "limit": 1}, ["stock-moved"]),
        ({"service": "auth"}, []),
        ({"type": "inventory.location-saved.v1"}, ["location-saved"]),
        ({"type": "inventory.location-saved"}, []),
        ({"request_id": "r-item"}, ["item-saved", "price-set"]),
        ({"request_id": "r-1", "service": "inventory"}, ["stock-moved"]),
        ({"q": "pâtes"}, ["item-saved"]),
        ({"q": "PO_2%"}, ["stock-moved"]),
        ({"q": "PO%2"}, []),
        ({"q": "location-SAVED"}, ["location-saved"]),
        ({"to": "2020-01-01T00:00:00Z"}, []),
        ({"from": "2099-01-01T00:00:00Z"}, []),
    ],
)
async def test_filters_narrow_the_trail(history, get, asked, types):
    found = await get(URL, **asked)

    assert sorted(e["type"].split(".")[1] for e in found["items"]) == types


async def test_who_and_what_can_be_asked_for(history, get, caller):
    by_other = await get(URL, actor=f"user:{history.id}")
    subject = by_other["items"][0]["subject"]
    about_item = await get(URL, subject=subject)

    assert {e["type"] for e in by_other["items"]} == {"inventory.stock-moved.v1"}
    assert len(by_other["items"]) == 3
    assert len(about_item["items"]) == 5


async def test_a_time_range_includes_its_start_and_not_its_end(history, get):
    entries = (await get(URL))["items"]
    newest = datetime.fromisoformat(entries[0]["recorded_at"])

    since = await get(URL, **{"from": newest.isoformat()})
    until = await get(URL, to=newest.isoformat())
    past = await get(URL, **{"from": (newest + timedelta(microseconds=1)).isoformat()})

    assert [e["id"] for e in since["items"]] == [entries[0]["id"]]
    assert [e["id"] for e in until["items"]] == [e["id"] for e in entries[1:]]
    assert past["items"] == []


async def test_pages_hold_every_entry_once_even_of_one_moment(inventory, caller, post, follow, get):
    await post("/api/locations", name="Main", type="warehouse")
    await post("/api/inventory/add-item", code="A", name="A")
    line = {"kind": "receipt", "item": "A", "location": "Main", "quantity": 1}
    await post(f"{MOVE}/bulk", lines=[line] * 20)
    await follow()

    seqs, cursor = [], None
    while cursor is not None or not seqs:
        page = await get(URL, limit=6, **({"cursor": cursor} if cursor else {}))
        seqs += [entry["seq"] for entry in page["items"]]
        cursor = page["next_cursor"]

    assert len(seqs) == 22
    assert seqs == sorted(seqs, reverse=True)


@pytest.mark.parametrize(
    "asked",
    [
        {"service": "gateway"},
        {"from": "yesterday"},
        {"from": "0001-01-01T00:00:00+14:00"},
        {"to": "9999-12-31T23:59:59-14:00"},
        {"limit": 201},
        {"q": ""},
    ],
)
async def test_bad_filters_are_refused(client, caller, asked):
    response = await client.get(URL, params=asked, headers=caller.headers())

    assert_problem(response, ValidationFailed)


async def test_another_tenant_sees_nothing(history, get):
    assert (await get(URL, reader=Caller()))["items"] == []


@pytest.mark.parametrize("path", [URL, f"{URL}/verify"])
async def test_the_trail_needs_its_scope(client, caller, path):
    manager = Caller(tenant_id=caller.tenant_id, scopes={"report:read", "price:write"})

    assert_problem(await client.get(path, headers=manager.headers()), MissingScope)


async def test_reading_goes_by_an_index_of_the_tenant(history, superuser, databases, caller):
    transaction = superuser.transaction()
    await transaction.start()
    await superuser.execute("SET LOCAL ROLE reporting_app")
    await superuser.execute("SET LOCAL search_path = reporting, public")
    await superuser.execute("SET LOCAL enable_seqscan = off")
    await superuser.execute("SELECT set_config('app.tenant', $1, true)", str(caller.tenant_id))
    plan = await superuser.fetch(
        """EXPLAIN SELECT * FROM audit_entries
           WHERE (recorded_at, service, seq) < (now(), 'inventory', 5)
           ORDER BY recorded_at DESC, service DESC, seq DESC LIMIT 50"""
    )
    await transaction.rollback()
    text = "\n".join(row[0] for row in plan)

    assert "Backward" in text
    assert "Sort" not in text.replace("Sort Key", "")
    assert "ROW(recorded_at, service, seq) <" in text
