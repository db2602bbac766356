"""From a step to the request that a client sends."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.torture.plan import Step

PLAIN = ("P0", "P1", "P2", "P3")
TRACKED = ("L0", "L1")
STORM = "STORM"  # A thousand pieces that everybody wants; nothing is ever added.
STORM_PIECES = 1000
SERIALS = "S"  # Each piece by its name; whoever has one takes it from all others.
SERIAL_NAMES = tuple(f"s{n}" for n in range(8))
KIT, KIT_TAKES = "K", {"P0": 2, "P1": 1}
DEAR = "D"  # Of which nobody may change anything alone.
PLACES = ("Dock", "Hall", "Shop")
LOTS = ("X", "Y", "Z")
MOVEMENTS = "/api/inventory/movements"
RESERVATIONS = "/api/inventory/reservations"
TRANSFERS = "/api/inventory/transfers"


@dataclass
class Shared:
    """What clients were told of that others go on with."""

    counts: list[tuple[str, str, list[str]]] = field(default_factory=list)  # Id, place, items.
    approvals: list[tuple[str, str]] = field(default_factory=list)  # Id, and who asked.

    def close_count(self, count: str) -> None:
        self.counts[:] = [each for each in self.counts if each[0] != count]

    def close_approval(self, approval: str) -> None:
        self.approvals[:] = [each for each in self.approvals if each[0] != approval]


@dataclass
class Own:
    """What a client was told that it has: it can be reversed, committed, received."""

    item_ids: dict[str, str]
    shared: Shared = field(default_factory=Shared)
    number: int = 0
    movements: list[str] = field(default_factory=list)
    reservations: list[tuple[str, str, int]] = field(default_factory=list)  # Id, name, lines.
    transfers: list[tuple[str, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Request:
    """What is to be sent."""

    kind: str
    method: str
    path: str
    body: Any = None
    reservation: str = ""
    role: str = ""  # Of who sends it; the client's own person unless said.
    actor: str = ""  # Who sends it, by name, and who does not.
    avoids: str = ""
    rival: "Request | None" = None  # What somebody else sends at the same time.
    lasts_s: float = 0.0  # After which it is undone, if it was done, by what `undoes` says.
    undoes: "Callable[[Any], Request] | None" = None

    def by(self, role: str) -> "Request":
        return replace(self, role=role)

    def beside(self, rival: "Request") -> "Request":
        return replace(self, rival=rival)

    def until(self, lasts_s: float, undoes: "Callable[[Any], Request]") -> "Request":
        return replace(self, lasts_s=lasts_s, undoes=undoes)


def request_of(step: Step, name: str, own: Own) -> Request:
    """Return what a client sends in a step; a receipt where there is nothing to go on from."""
    chance, kind = step.choices, step.kind
    if kind in _SIMPLE:
        return Request("movement", "POST", MOVEMENTS, movement_of(kind, name, chance))
    if kind in {"atomic", "each"}:
        return Request("bulk", "POST", f"{MOVEMENTS}/bulk", _bulk(kind, name, chance))
    if kind == "reserve":
        return Request("reserve", "POST", RESERVATIONS, _reservation(name, chance))
    if kind == "dispatch":
        start, goal = chance.sample(PLACES, 2)
        body = {
            "item": chance.choice(PLAIN + TRACKED), "location": start, "to_location": goal,
            "quantity": str(chance.randint(1, 9)), "reference": name,
        }  # fmt: skip
        return Request("dispatch", "POST", TRANSFERS, body)
    if kind in {"look", "known"}:
        return _reading(kind, chance, own)
    return _going_on(kind, chance, own) or Request(
        "movement", "POST", MOVEMENTS, movement_of("receipt", name, chance)
    )


def altered(body: dict[str, Any] | None) -> dict[str, Any]:
    """Return another body, which the key of a request does not stand for."""
    return {**(body or {}), "reason": "Another."}


def _going_on(kind: str, chance: Random, own: Own) -> Request | None:
    """Return what is done with what a client was given before, if it has such a thing."""
    if kind == "reverse" and own.movements:
        movement = own.movements.pop(chance.randrange(len(own.movements)))
        if chance.random() < 0.3:  # To be tried a second time.
            own.movements.append(movement)
        body = {"reason": "Undone.", "dated": chance.choice(("now", "original"))}
        return Request("reverse", "POST", f"{MOVEMENTS}/{movement}/reverse", body)
    if kind in {"commit", "release"} and own.reservations:
        held, name, lines = chance.choice(own.reservations[-8:])
        body: dict[str, Any] = {}
        if chance.random() < 0.4:
            body = {"lines": [{"line": chance.randrange(lines), "quantity": "1"}]}
        return Request(kind, "POST", f"{RESERVATIONS}/{held}/{kind}", body, name)
    if kind == "receive" and own.transfers:
        transfer, dispatched = own.transfers.pop(chance.randrange(len(own.transfers)))
        quantity = max(0, dispatched + chance.choice((0, 0, 0, -1, 1)))
        body = {"quantity": quantity, "final": True, "over_received": quantity > dispatched}
        return Request("receive", "POST", f"{TRANSFERS}/{transfer}/receive", body)
    return None


def _reading(kind: str, chance: Random, own: Own) -> Request:
    code = chance.choice(PLAIN + TRACKED)
    if kind == "look":
        return Request("look", "GET", f"/api/inventory/lookup/{code}")
    now = datetime.now(UTC)
    known = now - timedelta(seconds=chance.uniform(0.5, 4))
    as_of = now - timedelta(seconds=chance.choice((0, 1, 60, 3000)))
    query = f"known_at={_moment(known)}&as_of={_moment(min(as_of, known))}"
    return Request("known", "GET", f"/api/inventory/{own.item_ids[code]}/stock?{query}")


def movement_of(kind: str, name: str, chance: Random) -> dict[str, Any]:
    """Return one movement of a kind of `_SIMPLE`."""
    asked, *more = _SIMPLE[kind]
    body: dict[str, Any] = {
        "kind": asked, "item": chance.choice(PLAIN), "location": chance.choice(PLACES),
        "quantity": str(chance.randint(1, 9)), "reference": name,
    }  # fmt: skip
    if "storm" in more:
        body |= {"item": STORM, "location": PLACES[0], "quantity": "1"}
    if "lot" in more:
        body["item"] = chance.choice(TRACKED)
    if kind == "lot_receipt":
        body |= {"lot": chance.choice(LOTS), "quantity": str(chance.randint(3, 15))}
    if "serial" in more:
        names = chance.sample(SERIAL_NAMES, chance.choice((1, 1, 2)))
        body |= {"item": SERIALS, "serials": names, "quantity": str(len(names))}
    body |= _particulars(asked, chance)
    if "late" in more:
        at = datetime.now(UTC) - timedelta(seconds=chance.choice((2, 30, 600, 7200)))
        body["occurred_at"] = at.isoformat()
    if "past" in more:  # Where periods are closed.
        at = datetime.now(UTC) - timedelta(days=chance.randint(1, 5), seconds=chance.random())
        body["occurred_at"] = at.isoformat()
    if kind == "issue" and chance.random() < 0.1:  # A client's clock that runs ahead.
        body["occurred_at"] = (datetime.now(UTC) + timedelta(seconds=200)).isoformat()
    return body


def _particulars(asked: str, chance: Random) -> dict[str, Any]:
    """Return what a kind of movement has beside what all have."""
    match asked:
        case "transfer":
            start, goal = chance.sample(PLACES, 2)
            return {"location": start, "to_location": goal}
        case "adjustment":
            return {"direction": chance.choice(("in", "out")), "reason_code": "misrecorded"}
        case "write_off":
            return {"reason_code": "damaged"}
        case "return":
            return {"direction": chance.choice(("in", "out"))}
        case "count_correction":
            return {"quantity": str(chance.randint(0, 40))}
    return {}


def _bulk(kind: str, name: str, chance: Random) -> dict[str, Any]:
    """Return several movements, of the same items in any order: so locks would cross."""
    kinds = ("receipt", "issue", "issue", "transfer", "lot_issue", "late_issue")
    lines = [
        movement_of(chance.choice(kinds), f"{name}/{line}", chance)
        for line in range(chance.randint(2, 7))
    ]
    return {"mode": kind, "lines": lines}


def _reservation(name: str, chance: Random) -> dict[str, Any]:
    lines = []
    for item in chance.sample(PLAIN, chance.randint(1, 3)):
        line = {"item": item, "quantity": str(chance.randint(1, 6))}
        if chance.random() < 0.6:
            line["location"] = chance.choice(PLACES)
        lines.append(line)
    until = datetime.now(UTC) + timedelta(seconds=chance.choice((0.4, 1, 2, 5, 600)))
    return {"lines": lines, "reference": name, "expires_at": until.isoformat()}


def _moment(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


_SIMPLE: dict[str, tuple[str, ...]] = {
    "receipt": ("receipt",),
    "issue": ("issue",),
    "transfer": ("transfer",),
    "write_off": ("write_off",),
    "adjustment": ("adjustment",),
    "return": ("return",),
    "count": ("count_correction",),
    "late_receipt": ("receipt", "late"),
    "late_issue": ("issue", "late"),
    "lot_receipt": ("receipt", "lot"),
    "lot_issue": ("issue", "lot"),
    "lot_transfer": ("transfer", "lot"),
    "storm": ("issue", "storm"),
    "past_receipt": ("receipt", "past"),
    "past_issue": ("issue", "past"),
    "serial_receipt": ("receipt", "serial"),
    "serial_issue": ("issue", "serial"),
    "serial_transfer": ("transfer", "serial"),
}
