"""What journal entries change in the read models, folded without I/O."""

import base64
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date
from decimal import Decimal
from uuid import UUID

from shared.contracts.auth.tenants import TenantCreated
from shared.contracts.inventory.items import ItemSaved
from shared.contracts.inventory.locations import LocationRemoved, LocationSaved
from shared.contracts.inventory.lots import LotSaved
from shared.contracts.inventory.movements import StockMoved
from shared.contracts.inventory.prices import PriceSet
from shared.journal import Entry
from shared.journal.aside import FeedEntry

PRODUCERS = ("auth", "inventory", "forecasting")  # Whose journals reporting follows.
_READ: dict[str, type[Entry]] = {
    entry.name: entry
    for entry in (
        ItemSaved,
        LocationRemoved,
        LocationSaved,
        LotSaved,
        PriceSet,
        StockMoved,
        TenantCreated,
    )
}
OF_AUTH = frozenset({TenantCreated.name})
OF_INVENTORY = frozenset(_READ) - OF_AUTH


@dataclass(frozen=True, slots=True)
class UnitCost:
    """A unit cost as its entry brought it: sealed for its row in inventory."""

    item_id: UUID
    sealed: bytes


@dataclass(slots=True)
class LotChange:
    """What is added to a lot, of which item, and when it expires as far as is known now."""

    item_id: UUID
    expires_on: date | None
    quantity: Decimal = Decimal(0)


@dataclass(slots=True)
class Changes:
    """What a run of entries, in their order, adds up to."""

    items: dict[UUID, ItemSaved] = field(default_factory=dict)
    locations: dict[UUID, LocationSaved] = field(default_factory=dict)
    removed_locations: set[UUID] = field(default_factory=set)
    costs: dict[UUID, UnitCost] = field(default_factory=dict)
    levels: dict[tuple[UUID, UUID], Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )  # By item and location.
    lots: dict[UUID, LotChange] = field(default_factory=dict)
    days: Counter[tuple[date, str]] = field(default_factory=Counter)  # By day in UTC and kind.


def read_entries(entries: Sequence[FeedEntry]) -> list[Entry]:
    """Return entries that the read models need as what they are. Raises ValidationError."""
    return [_READ[entry["type"]].model_validate(entry["data"]) for entry in entries]


def fold(entries: Sequence[Entry]) -> Changes:
    """Return what the entries change; of several states of one thing the last counts."""
    changes = Changes()
    for entry in entries:
        match entry:
            case StockMoved():
                changes.levels[entry.item_id, entry.location_id] += entry.quantity
                if entry.lot_id is not None and entry.serial is None:
                    _change_lot(changes, entry.lot_id, entry).quantity += entry.quantity
                if entry.leg == 0:
                    changes.days[entry.occurred_at.astimezone(UTC).date(), entry.kind] += 1
            case LotSaved():
                _change_lot(changes, entry.lot_id, entry)
            case ItemSaved():
                changes.items[entry.item_id] = entry
            case LocationSaved():
                changes.locations[entry.location_id] = entry
                changes.removed_locations.discard(entry.location_id)
            case LocationRemoved():
                changes.locations.pop(entry.location_id, None)
                changes.removed_locations.add(entry.location_id)
        found = cost_of(entry)
        if found is not None:
            changes.costs[found[0]] = found[1]
    return changes


def _change_lot(changes: Changes, lot_id: UUID, entry: StockMoved | LotSaved) -> LotChange:
    change = changes.lots.setdefault(lot_id, LotChange(entry.item_id, None))
    change.expires_on = entry.expires_on
    return change


def cost_of(entry: Entry) -> tuple[UUID, UnitCost] | None:
    """Return the unit cost that an entry brings, with its id."""
    match entry:
        case StockMoved(cost_id=UUID() as cost_id, amount_sealed=str() as sealed):
            return cost_id, UnitCost(entry.item_id, base64.b64decode(sealed))
        case PriceSet(kind="cost"):
            return entry.price_id, UnitCost(entry.item_id, base64.b64decode(entry.amount_sealed))
    return None
