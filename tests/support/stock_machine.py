"""What the machine of `tests/services/inventory/test_app_stock_machine.py` speaks through."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from tests.support.services import Caller
from tests.support.stock_model import EVERYTHING, Draw, Level, Moved, StockModel
from tests.torture.agreements import check_counts, check_durations, check_freezes
from tests.torture.checker import (
    check_assemblies,
    check_business_time,
    check_committed,
    check_conserved,
    check_journal,
    check_recorded_order,
    check_reserved,
    check_serials,
    check_transit,
)

PLAIN, LOTS, SERIALS, KIT = ("P0", "P1"), "L", "S", "K"
KIT_TAKES = {"P0": 2, "P1": 1}
PLACES, ROAD, OUTSIDE = ("Main", "Shop"), "Road", "outside"
EXPIRIES = {"Y": 5, "X": 9, "Z": 20}  # Days from now, by lot: in this order they go out.
SERIAL_NAMES = ("s1", "s2")
COUNTS, FREEZES = "/api/inventory/counts", "/api/inventory/freezes"
CHECKS = (
    check_recorded_order, check_business_time, check_conserved, check_journal, check_reserved,
    check_committed, check_transit, check_assemblies, check_serials, check_counts, check_freezes,
    check_durations,
)  # fmt: skip
# What may be frozen: by which scope, and which of these.
FROZEN = (
    ("everything", EVERYTHING),
    *(("item", item) for item in (*PLAIN, KIT)),
    *(("location", place) for place in PLACES),
)


@dataclass
class Shop:
    """A tenant of its own in the app under test, with the model of what must be there."""

    loop: asyncio.AbstractEventLoop
    client: httpx.AsyncClient
    database: asyncpg.Connection
    caller: Caller = field(default_factory=Caller)
    model: StockModel = field(default_factory=StockModel)
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    ids: dict[str, str] = field(default_factory=dict)  # Of items and places, by name.

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Return what is done on the app's own loop: the machine runs in a thread beside it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def open(self) -> None:
        """Make the items and places, and a kit."""
        for place, kind in ((PLACES[0], "warehouse"), (PLACES[1], "warehouse"), (ROAD, "transit")):
            self.ids[place] = self.post("/api/locations", {"name": place, "type": kind})["id"]
        for item in (*PLAIN, LOTS, SERIALS, KIT):
            tracking = {LOTS: {"tracking": "lot"}, SERIALS: {"tracking": "serial"}}.get(item, {})
            body = {"code": item, "name": item, **tracking}
            self.ids[item] = self.post("/api/inventory", body)["id"]
        parts = [{"item": item, "quantity": n} for item, n in KIT_TAKES.items()]
        self.post("/api/inventory/kits", {"item": KIT, "components": parts})
        long_ago = self.began - timedelta(days=1000)
        for serial in SERIAL_NAMES:  # All of them are somewhere: at first in no stock.
            self.model.moved.append(Moved((SERIALS, OUTSIDE, serial), long_ago, 1))

    def ago(self, hours: int) -> datetime | None:
        """Return an instant; none for now."""
        return self.began - timedelta(hours=hours) if hours else None

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Post what must be done."""
        return self.ask(path, body, is_possible=True)

    def ask(self, path: str, body: dict[str, Any], *, is_possible: bool) -> dict[str, Any]:
        """Post what must be done or refused, and again under its key, which must change nothing."""
        headers = self.caller.headers(**{"Idempotency-Key": str(uuid4())})
        answers = [self.wait(self.client.post(path, json=body, headers=headers)) for _ in range(2)]
        first, again = answers
        assert first.status_code < 500, first.text
        assert first.is_success is is_possible, (path, body, first.text)
        assert again.status_code == first.status_code, again.text
        found: dict[str, Any] = first.json()
        assert found.get("id") == again.json().get("id")
        return found

    def enter(self, path: str, line: dict[str, Any]) -> None:
        """Enter a line, and again, which must change nothing."""
        headers, body = self.caller.headers(), {"lines": [line]}
        for entered in (1, 0):
            answer = self.wait(self.client.put(path, json=body, headers=headers))
            assert answer.status_code == 200, answer.text
            assert answer.json()["entered"] == entered, answer.text

    def delete(self, path: str) -> None:
        answer = self.wait(self.client.delete(path, headers=self.caller.headers()))
        assert answer.status_code == 204, answer.text

    def get(self, path: str) -> Any:
        answer = self.wait(self.client.get(path, headers=self.caller.headers()))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def levels(self) -> dict[Level, tuple[int, int]]:
        """Return what the database holds, by names."""
        rows = self.wait(self.database.fetch(_LEVELS, self.caller.tenant_id))
        return {(row[0], row[1], row[2]): (int(row[3]), int(row[4])) for row in rows}

    def assert_as_modelled(self) -> None:
        nothing = (0, 0)
        there = {level: held for level, held in self.levels().items() if held != nothing}
        expected = {
            level: held
            for level, held in self.model.levels().items()
            if held != nothing and level[1] != OUTSIDE
        }
        assert there == expected

    def move(
        self, body: dict[str, Any], draws: list[Draw] | None, at: datetime | None
    ) -> str | None:
        """Ask for a movement that would do this, nothing if it is not possible; return its id."""
        if at is not None:
            body = body | {"occurred_at": at.isoformat()}
        possible = draws is not None and self.model.can(draws, at)
        found = self.ask("/api/inventory/movements", body, is_possible=possible)
        if not possible:
            return None
        self.model.record(found["id"], draws or [], moment(found["occurred_at"]))
        return str(found["id"])

    def let_expire(self, reservation: str) -> None:
        """Let the time of a reservation be over."""
        self.wait(self.database.execute(_LET_EXPIRE, self.caller.tenant_id, reservation))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


_LEVELS = """
SELECT i.code, l.name, coalesce(t.code, ''), v.on_hand, v.reserved
FROM inventory.levels v
JOIN inventory.items i ON i.tenant_id = v.tenant_id AND i.id = v.item_id
JOIN inventory.locations l ON l.tenant_id = v.tenant_id AND l.id = v.location_id
LEFT JOIN inventory.lots t ON t.tenant_id = v.tenant_id AND t.id = v.lot_id
WHERE v.tenant_id = $1"""
_LET_EXPIRE = """
WITH over AS (
    UPDATE inventory.reservations SET expires_at = now() - interval '1 second'
    WHERE tenant_id = $1 AND id = $2::text::uuid RETURNING id, expires_at
), held AS (
    UPDATE inventory.reservation_holds h SET expires_at = over.expires_at FROM over
    WHERE h.tenant_id = $1 AND h.reservation_id = over.id
    RETURNING h.item_id, h.location_id, h.lot_id, h.expires_at
)
UPDATE inventory.levels v SET holds_until = held.expires_at FROM held
WHERE v.tenant_id = $1 AND v.item_id = held.item_id AND v.location_id = held.location_id
    AND v.lot_id = held.lot_id"""
