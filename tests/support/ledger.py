"""A ledger in memory: what judging reads of it, and what it says at every instant."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from services.inventory.ledger.rules import (
    NO_LOT,
    Balance,
    Change,
    Kind,
    Spot,
    Timeline,
    item_reference,
    judge,
    late_levels,
    place_reference,
)

NOW = datetime(2026, 3, 13, 12, tzinfo=UTC)
ITEMS = {code: UUID(int=n) for n, code in enumerate("AB", 1)}
PLACES = {name: UUID(int=n) for n, name in enumerate(["MAIN", "SHOP"], 11)}
SPOTS = {
    (item_reference(code), place_reference(name)): Spot(
        item, code, active=True, cost_id=None, place_id=place, place=name, place_active=True
    )
    for code, item in ITEMS.items()
    for name, place in PLACES.items()
}
LEVELS = [(item, place, NO_LOT) for item in ITEMS.values() for place in PLACES.values()]
MAIN, SHOP = LEVELS[0], LEVELS[1]


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def change(quantity, item="A", place="MAIN", **more) -> Change:
    amount = None if quantity is None else Decimal(str(quantity))
    return Change(
        uuid4(), Kind.ADJUSTMENT, item_reference(item), place_reference(place), "user:1", "r",
        quantity=amount, **more,
    )  # fmt: skip


def counted(quantity, **more) -> Change:
    return change(None, counted=Decimal(quantity), **more)


def transfer(quantity, item="A", **more) -> Change:
    return change(-quantity, item, counterplace=place_reference("SHOP"), **more)


class History:
    """Ledger rows as they were recorded, of levels that were never in want at any instant."""

    def __init__(self, rows=(), reserved=None):
        self.rows = list(rows)  # (level, instant, quantity)
        self.reserved = reserved or {}

    def at(self, level, instant):
        return sum((q for of, at, q in self.rows if of == level and at <= instant), Decimal(0))

    def lowest(self):
        instants = {at for _, at, _ in self.rows}
        return min((self.at(level, at) for level in LEVELS for at in instants), default=0)

    def balances(self):
        """As the service reads them before it judges."""
        found = {}
        for level in LEVELS:
            own = [row for row in self.rows if row[0] == level]
            found[level] = Balance(
                sum((q for *_, q in own), Decimal(0)),
                self.reserved.get(level, Decimal(0)),
                max((at for _, at, _ in own), default=None),
            )
        return found

    def prepared(self, changes):
        balances = self.balances()
        for level, late in late_levels(changes, SPOTS, balances, NOW).items():
            since = [(at, q) for of, at, q in self.rows if of == level and at > late.since]
            opening = balances[level].on_hand - sum((q for _, q in since), Decimal(0))
            balances[level].timeline = Timeline(opening, since, [*late.instants, NOW])
        return balances

    def judge(self, *changes, atomic=False, open_from=None):
        return judge(
            changes, SPOTS, self.prepared(changes), NOW, atomic=atomic, open_from=open_from
        )

    def record(self, asked, outcome):
        if outcome.refusal is None:
            spot = SPOTS[asked.item, asked.place]
            level = spot.item_id, spot.place_id, NO_LOT
            self.rows.append((level, outcome.occurred_at, outcome.quantity))
            if asked.counterplace is not None:
                there = spot.item_id, SPOTS[asked.item, asked.counterplace].place_id, NO_LOT
                self.rows.append((there, outcome.occurred_at, -outcome.quantity))
