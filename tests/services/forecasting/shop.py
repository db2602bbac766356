"""A tenant's stock room with a history, made through inventory's own API."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import httpx

from shared.clock import utc_now
from tests.support.services import Caller

WEEK = (5, 6, 7, 8, 9, 14, 12)  # Sales of seven days.


def days_ago(days: int) -> date:
    return utc_now().date() - timedelta(days=days)


def on(day: date, hour: int = 12) -> str:
    return datetime.combine(day, time(hour), UTC).isoformat()


@dataclass
class Shop:
    """A tenant's stock room: items and movements, made through inventory's API."""

    inventory: httpx.AsyncClient
    caller: Caller
    lines: list[dict[str, Any]] = field(default_factory=list)

    async def open(self, *codes: str, **fields: Any) -> str:
        """Add a location and items; return the last one's id."""
        body = {"name": "Main", "type": "warehouse"}
        await self._post("/api/locations", body)
        for code in codes:
            named = {"en": f"Item {code}", "fr": f"Article {code}"}
            item = await self._post(
                "/api/inventory/add-item", {"code": code, "name": named} | fields
            )
        return str(item["id"])

    def move(self, kind: str, item: str, quantity: object, day: date, **more: Any) -> None:
        self.lines.append(
            {
                "kind": kind,
                "item": item,
                "location": "Main",
                "quantity": str(quantity),
                "occurred_at": on(day),
                **more,
            }
        )

    def sell(self, item: str, daily: Sequence[int], *, stock: int = 10_000) -> None:
        """Receive enough, then issue the daily quantities, which end yesterday."""
        first = len(daily)
        self.move("receipt", item, stock, days_ago(first))
        for number, quantity in enumerate(daily):
            if quantity:
                self.move("issue", item, quantity, days_ago(first - number))

    async def record(self) -> None:
        lines, self.lines = self.lines, []
        for start in range(0, len(lines), 5000):
            await self._post(
                "/api/inventory/movements/bulk",
                {"lines": lines[start : start + 5000], "mode": "atomic"},
            )

    async def reverse(self, kind: str, quantity: str) -> int:
        """Reverse the movement of this kind and quantity; return the answer's status."""
        path = "/api/inventory/movements"
        found = await self.inventory.get(path, headers=self.caller.headers())
        [movement] = [
            row
            for row in found.json()["items"]
            if (row["kind"], row["quantity"]) == (kind, quantity)
        ]
        answer = await self.inventory.post(
            f"{path}/{movement['id']}/reverse",
            json={"reason": "Typed wrongly."},
            headers=self.caller.headers(),
        )
        return answer.status_code

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        response = await self.inventory.post(path, json=body, headers=self.caller.headers())
        assert response.status_code == 201, response.text
        return dict(response.json())
