"""Who asked for what he may not stands in the journal, and a flood of it does not fill it."""

from unittest.mock import AsyncMock, MagicMock

import asyncpg
import httpx
import pytest

from shared.errors import MissingScope
from shared.web.denials import INTERVAL_S, Denials
from tests.shared.web.shop import ShopDenied
from tests.support.database import Databases
from tests.support.services import Caller, assert_problem

pytestmark = [pytest.mark.stack, pytest.mark.asvs("F07")]
NOTES = "/api/shop/notes"


async def entries(databases: Databases, caller: Caller) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(databases.superuser_dsn)
    rows = await connection.fetch(
        "SELECT type, actor, request_id, subject, data FROM shop.journal "
        "WHERE tenant_id = $1 ORDER BY seq",
        caller.tenant_id,
    )
    await connection.close()
    return rows


async def test_a_refusal_is_journaled_once_with_who_what_and_where(
    shop: httpx.AsyncClient, databases: Databases
):
    caller = Caller(scopes=())
    headers = caller.headers(**{"X-Request-ID": "asked~7"})

    for _ in range(5):
        assert_problem(await shop.post(NOTES, json={"text": "x"}, headers=headers), MissingScope)

    [entry] = await entries(databases, caller)
    assert entry["type"] == "shop.access-denied.v1"
    assert entry["actor"] == f"user:{caller.id}"
    assert entry["request_id"] == "asked~7"
    assert entry["subject"] == f"route:POST {NOTES}"
    assert '"unwritten": 0' in entry["data"].replace('":', '": ').replace("  ", " ")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def recording():
    """Denials whose transactions only count, and the entries that they would write."""
    clock, written = Clock(), []

    def entry(**fields):
        written.append(fields)
        return MagicMock()

    denials = Denials(MagicMock(side_effect=entry), clock=clock)

    async def refuse(actor="user:1", method="GET", path="/api/a", needed="a:read"):
        request = MagicMock(method=method)
        request.scope = {"path": path, "state": {"request_id": "r"}}
        resources = request.app.state.resources
        resources.database.transaction = MagicMock(return_value=AsyncMock())
        await denials.record(request, MagicMock(actor=actor), needed)

    return refuse, clock, written


async def test_of_equal_refusals_one_a_minute_is_written_with_their_number(recording, monkeypatch):
    refuse, clock, written = recording
    monkeypatch.setattr("shared.web.denials.journal", MagicMock())

    for _ in range(50):
        await refuse()
    clock.now = INTERVAL_S
    await refuse()
    await refuse(needed="b:read")
    await refuse(actor="user:2")

    assert [entry["unwritten"] for entry in written] == [0, 49, 0, 0]


async def test_what_is_remembered_is_bounded(recording, monkeypatch):
    refuse, _, written = recording
    monkeypatch.setattr("shared.web.denials.journal", MagicMock())
    monkeypatch.setattr("shared.web.denials.KNOWN_MAX", 3)

    for number in (0, 1, 2, 3, 3, 0):
        await refuse(actor=f"user:{number}")

    assert len(written) == 5


def test_the_entry_is_the_service_s_own():
    assert ShopDenied.name == "shop.access-denied.v1"
