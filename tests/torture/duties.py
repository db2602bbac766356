"""From a step to what people do who count, approve, freeze stock and close periods."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from tests.torture.plan import Step
from tests.torture.requests import (
    DEAR,
    KIT,
    MOVEMENTS,
    PLACES,
    PLAIN,
    TRACKED,
    Own,
    Request,
    movement_of,
)

KITS = "/api/inventory/kits"
COUNTS = "/api/inventory/counts"
APPROVALS = "/api/inventory/approvals"
FREEZES = "/api/inventory/freezes"
PERIODS = "/api/inventory/periods"
COUNTED = (*PLAIN, *TRACKED, KIT, DEAR)
LATELY = 5  # Of counts and approvals those are taken up again that came last.
COUNTERS = 5  # People. Each line is one's: who counts what another counted disputes it.
RIVALS = 0.4  # How often somebody else decides the same at the same time.
LASTS_S = (0.2, 1.2)  # A freeze, and the close of a period.


def duty_of(step: Step, name: str, own: Own) -> Request | None:
    """Return what is sent in a step of this sort; None of another, or if there is none of it."""
    duty = _DUTIES.get(step.kind)
    return None if duty is None else duty(step.kind, name, step.choices, own)


def _assembly(kind: str, name: str, chance: Random, own: Own) -> Request:
    body = {
        "quantity": str(chance.randint(1, 6)), "location": chance.choice(PLACES),
        "reference": name,
    }  # fmt: skip
    if chance.random() < 0.2:
        body["occurred_at"] = (datetime.now(UTC) - timedelta(seconds=30)).isoformat()
    return Request("assembly", "POST", f"{KITS}/{own.item_ids[KIT]}/{kind}", body)


def _weighty(_kind: str, name: str, chance: Random, _own: Own) -> Request:
    """Return a movement of what is so dear that nobody changes it alone; it may be received."""
    moved = chance.choice(("receipt", "write_off", "adjustment", "count"))
    body = movement_of(moved, name, chance) | {"item": DEAR}
    return Request("movement", "POST", MOVEMENTS, body)


def _opening(_kind: str, name: str, chance: Random, _own: Own) -> Request:
    items = chance.sample(COUNTED, chance.randint(2, 5))
    body = {
        "title": name, "locations": [chance.choice(PLACES)], "items": items,
        "blind": chance.random() < 0.3,
    }  # fmt: skip
    return Request("open_count", "POST", COUNTS, body)


def _counting(kind: str, name: str, chance: Random, own: Own) -> Request | None:
    if not own.shared.counts:
        return None
    count, place, items = chance.choice(own.shared.counts[-LATELY:])
    path = f"{COUNTS}/{count}"
    match kind:
        case "enter_count":
            lines = _entered(items, place, name, chance, own)
            return Request("enter_count", "PUT", f"{path}/lines", {"lines": lines})
        case "post_count":
            uncounted = chance.choice(("keep", "keep", "keep", "zero", "refuse"))
            post = Request("post_count", "POST", f"{path}/post", {"uncounted": uncounted},
                           role="manager")  # fmt: skip
            return _with_rival(post, chance)
        case "recount":
            body: dict[str, Any] = {"disputed": True, "same_counter": True}
            return Request("recount", "POST", f"{path}/recount", body, role="manager")
    return Request("cancel_count", "POST", f"{path}/cancel", {"reason": name}, role="manager")


def _entered(items: list[str], place: str, name: str, chance: Random, own: Own) -> list[Any]:
    """Return lines for what is the person's to count; of the others he found some more."""
    mine = [item for item in items if COUNTED.index(item) % COUNTERS == own.number % COUNTERS]
    if not mine or chance.random() < 0.1:
        return [_line(chance.choice(items), place, name, chance) | {"add": True, "quantity": "1"}]
    return [_line(item, place, name, chance) for item in mine]


def _line(item: str, place: str, name: str, chance: Random) -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(seconds=chance.choice((0.1, 1, 3)))
    line = {
        "item": item, "location": place, "quantity": str(chance.randint(2, 30)),
        "counted_at": at.isoformat(), "id": str(uuid5(NAMESPACE_URL, f"{name}/{item}")),
    }  # fmt: skip
    return line | ({"lot": chance.choice(("X", "Y"))} if item in TRACKED else {})


def _decision(kind: str, _name: str, chance: Random, own: Own) -> Request | None:
    if not own.shared.approvals:
        return None
    approval, asker = chance.choice(own.shared.approvals[-LATELY:])
    path = f"{APPROVALS}/{approval}/{kind}"
    if kind == "withdraw":
        return Request(kind, "POST", path, {"reason": "Found again."}, actor=asker)
    if kind == "reject":
        return Request(kind, "POST", path, {"reason": "No."}, role="manager", avoids=asker)
    return _with_rival(Request(kind, "POST", path, role="manager", avoids=asker), chance)


def _with_rival(request: Request, chance: Random) -> Request:
    """Let an administrator do the same at the same time, sometimes."""
    if chance.random() >= RIVALS:
        return request
    return request.beside(request.by("admin"))


def _freeze(_kind: str, _name: str, chance: Random, _own: Own) -> Request:
    scope = chance.choice(("item", "item", "item", "location", "location", "everything"))
    targets = {"item": chance.choice(PLAIN), "location": chance.choice(PLACES)}
    body = {"scope": scope, "reason": "Stocktaking."}
    body |= {scope: targets[scope]} if scope in targets else {}
    frozen = Request("freeze", "POST", FREEZES, body, role="admin")
    return frozen.until(chance.uniform(*LASTS_S), lambda answer: Request(
        "lift", "DELETE", f"{FREEZES}/{answer['id']}", role="admin"
    ))  # fmt: skip


def _close(_kind: str, _name: str, chance: Random, _own: Own) -> Request:
    last_day = (datetime.now(UTC) - timedelta(days=chance.randint(2, 4))).date()
    closed = Request("close", "POST", PERIODS, {"last_day": last_day.isoformat()}, role="admin")
    return closed.until(chance.uniform(*LASTS_S), lambda answer: Request(
        "reopen", "POST", f"{PERIODS}/{answer['id']}/reopen", {"reason": "Late."}, role="admin"
    ))  # fmt: skip


_DUTIES: dict[str, Callable[[str, str, Random, Own], Request | None]] = {
    **dict.fromkeys(("assemble", "disassemble"), _assembly),
    **dict.fromkeys(("enter_count", "post_count", "recount", "cancel_count"), _counting),
    **dict.fromkeys(("approve", "reject", "withdraw"), _decision),
    "weigh": _weighty,
    "open_count": _opening,
    "freeze": _freeze,
    "close": _close,
}
