"""What is asked of the ledger, what is found under lock, and what becomes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from services.inventory.freezes.rules import Notice
from services.inventory.items.rules import Pack, packs_of
from services.inventory.ledger.rules.kinds import Kind, MovementReason
from services.inventory.ledger.rules.lots import (
    TRACKS_LOTS,
    TRACKS_SERIALS,
    Level,
    Lot,
    LotName,
    SerialFault,
)
from services.inventory.ledger.rules.timeline import NOTHING, Timeline
from shared.gtin import item_key
from shared.identifiers import find_id, identifier_key
from shared.money import plain
from shared.principal import Places


class Reference(NamedTuple):
    """How an item or a location is named: by its id, or by the key of its code or name."""

    id: UUID | None
    key: str | None
    text: str  # As it was given.


@lru_cache(maxsize=8192)
def item_reference(text: str) -> Reference:
    """Return the item that a text names: by the id that it is, or else by its code or barcode."""
    found = find_id(text)
    return Reference(found, None if found else item_key(text), text)


@lru_cache(maxsize=8192)
def place_reference(text: str) -> Reference:
    """Return the location that a text names: by the id that it is, or else by its name."""
    found = find_id(text)
    return Reference(found, None if found else identifier_key(text), text)


class Reversed(NamedTuple):
    """A movement that another one undoes, as followers of the ledger need to know it."""

    movement_id: UUID
    kind: Kind
    occurred_at: datetime


class Change(NamedTuple):
    """One movement asked for: what happens at `place`, and the opposite at `counterplace`.

    Exactly one of `quantity` (signed) and `counted` (what was found there) is set. `unit` names
    what these count; None is the pack that the barcode in `item` is on, or else the stock unit.
    occurred_at is None for now. cost_id and amount are the sealed unit cost that it brings.
    `places` are the locations that whoever asks may know of; any other is as if it were not there.
    With holds_until it only reserves, until then, what it would take. What it takes was reserved
    for it if it `is_held`. `part_of` is the movement that several of an assembly belong to.
    Of an item with lots: the `lot` it names and, of a receipt, when that expires; or `shares`, how
    much of each lot, which add up to the quantity. Of one with serials: `serials` or shares; if
    `is_told_by_serials`, the quantity is how many these are, and in no unit that was named.
    """

    id: UUID
    kind: Kind
    item: Reference
    place: Reference
    actor: str
    request_id: str
    quantity: Decimal | None = None
    counted: Decimal | None = None
    counterplace: Reference | None = None
    occurred_at: datetime | None = None
    cost_id: UUID | None = None
    amount: bytes | None = None
    reason_code: MovementReason | None = None
    reason: str | None = None
    reference: str | None = None
    key: str | None = None
    fingerprint: bytes | None = None
    reverses: Reversed | None = None
    is_stage: bool = False  # Of a transfer in two: it alone touches stock in transit.
    places: Places = None
    unit: str | None = None
    holds_until: datetime | None = None
    is_held: bool = False
    lot: LotName | None = None
    expires_on: date | None = None
    shares: tuple[tuple[Lot, Decimal], ...] = ()
    part_of: UUID | None = None
    serials: tuple[LotName, ...] | None = None
    is_told_by_serials: bool = False

    @property
    def asked(self) -> Decimal:
        """What it asks to move, or what was counted, never negative, in its own unit."""
        number = self.quantity if self.counted is None else self.counted
        if number is None:
            raise ValueError("a change has a quantity or a count")
        return abs(number)

    @property
    def names_parts(self) -> bool:
        """Say whether it says of which lots or serials it is."""
        return bool(self.shares or self.lot or self.serials)

    def may_use(self, place_id: UUID) -> bool:
        """Say whether whoever asks may know of a place."""
        return self.places is None or place_id in self.places


class Spot(NamedTuple):
    """What the database says of one item and one place, under lock; None where there is none."""

    item_id: UUID | None
    code: str | None
    active: bool | None
    cost_id: UUID | None  # The item's unit cost in force.
    place_id: UUID | None
    place: str | None
    place_active: bool | None
    unit: str | None = None  # The item's stock unit.
    packs: str | None = None  # As `packs_of` reads them.
    named_unit: str | None = None  # Of the barcode that names the item, if it is a pack's.
    frozen_by: UUID | None = None  # A freeze of either.
    is_transit: bool | None = False  # What lies there is on its way.
    tracking: str | None = None  # Of the item.

    @property
    def has_lots(self) -> bool:
        return self.tracking == TRACKS_LOTS

    @property
    def has_serials(self) -> bool:
        return self.tracking == TRACKS_SERIALS

    @property
    def is_tracked(self) -> bool:
        """Say whether the item has a level for each lot, or for each serial."""
        return self.has_lots or self.has_serials

    @property
    def units(self) -> list[str]:
        """All units of the item as they are written, the stock unit first."""
        return [self.unit or "", *(pack.unit for pack in packs_of(self.packs).values())]


Ends = tuple[Spot, Spot | None]  # Where a change is, and where a transfer goes.


@dataclass(slots=True)
class Balance:
    """The stock of one item at one place, in stock units; reserved is part of on hand.

    moved_at is when its latest movement happened, holds_until when the first of what is reserved
    may expire. The timeline is there for levels that a late movement touches, and reaches back to
    before the earliest of these.
    """

    on_hand: Decimal = NOTHING
    reserved: Decimal = NOTHING
    moved_at: datetime | None = None
    timeline: Timeline | None = None
    holds_until: datetime | None = None

    @property
    def available(self) -> Decimal:
        """Return what may be taken; never below zero, whatever a fault may have left."""
        return max(self.on_hand - self.reserved, NOTHING)

    @property
    def held(self) -> tuple[Decimal, datetime | None]:
        """Return what is reserved, and when the first of it may expire."""
        return self.reserved, self.holds_until

    def move(self, quantity: Decimal, instant: datetime) -> None:
        """Let a granted quantity come or go at an instant."""
        self.on_hand += quantity
        if self.timeline is not None:
            self.timeline.add(instant, quantity)
        if self.moved_at is None or instant > self.moved_at:
            self.moved_at = instant

    def hold(self, quantity: Decimal, until: datetime) -> None:
        """Reserve a granted quantity until an instant."""
        self.reserved += quantity
        if self.holds_until is None or until < self.holds_until:
            self.holds_until = until


class Refusal(StrEnum):
    """Why a movement is not applied."""

    UNKNOWN_ITEM = "unknown_item"
    RETIRED_ITEM = "retired_item"
    UNKNOWN_PLACE = "unknown_place"
    UNKNOWN_COUNTERPLACE = "unknown_counterplace"
    RETIRED_PLACE = "retired_place"
    RETIRED_COUNTERPLACE = "retired_counterplace"
    SAME_PLACE = "same_place"
    IN_FUTURE = "in_future"
    IN_TRANSIT = "in_transit"
    FROZEN = "frozen"
    PERIOD_CLOSED = "period_closed"
    ARCHIVED = "archived"
    UNKNOWN_UNIT = "unknown_unit"
    INEXACT = "inexact"  # In stock units it would have more than four digits after the point.
    NO_LOTS = "no_lots"  # A lot is named of an item that has none.
    LOT_NEEDED = "lot_needed"
    UNKNOWN_LOT = "unknown_lot"
    EXPIRY_DIFFERS = "expiry_differs"  # The lot came with another expiry.
    LOT_EXPIRED = "lot_expired"
    NO_SERIALS = "no_serials"  # Serials are named of an item that has none.
    SERIALS_NEEDED = "serials_needed"
    SERIALS_DIFFER = "serials_differ"  # The quantity is another one.
    SERIALS_IN_STOCK = "serials_in_stock"  # They cannot come.
    SERIALS_NOT_THERE = "serials_not_there"  # They cannot go.
    NOT_ENOUGH = "not_enough"
    NOT_ENOUGH_THEN = "not_enough_then"
    TOO_MUCH = "too_much"
    HELD_BACK = "held_back"  # Another movement of an atomic call was refused.


class Elsewhere(NamedTuple):
    """What is available of an item at another location, in stock units."""

    location_id: UUID
    location: str
    available: Decimal


class NextReceipt(NamedTuple):
    """What of an item comes next to a location, in stock units, and when."""

    location_id: UUID
    location: str
    quantity: Decimal
    expected_at: datetime

    def as_told(self) -> dict[str, str]:
        """Return it as a problem tells it."""
        when, quantity = self.expected_at.isoformat(), plain(self.quantity)
        return {"location": self.location, "quantity": quantity, "expected_at": when}


class Part(NamedTuple):
    """What a movement does to one lot: as an outcome's quantity and balances, of that lot alone."""

    lot: Lot | None  # A serial too; None of an item without either.
    quantity: Decimal
    balance: Decimal
    counterbalance: Decimal


class Outcome(NamedTuple):
    """What becomes of a change: refused, or applied with these figures.

    quantity is what it adds at its place in stock units, balance and counterbalance what lies at
    both places after it, of the lots that it touches; parts are these, lot by lot. given_unit is
    the unit that was named, if any; lot the one that it is refused for. Of a refusal for lack of
    stock: what was available, on hand and reserved, and how much there was that has expired, where
    (at the counterplace, if a transfer is undone), what was counted, what other locations have,
    what comes next, and of one in the past the first instant from which on it would fit (not of a
    count, whose quantity depends on its instant). notice is what is told of the freeze that refuses
    it, serials are those that it is refused for.
    """

    change: Change
    spot: Spot
    counterspot: Spot | None  # Of the same item, where a transfer goes.
    recorded_at: datetime
    refusal: Refusal | None
    quantity: Decimal = NOTHING
    balance: Decimal = NOTHING
    counterbalance: Decimal = NOTHING
    occurred_at: datetime | None = None
    is_backdated: bool = False
    available: Decimal = NOTHING
    on_hand: Decimal = NOTHING
    reserved: Decimal = NOTHING
    is_at_counterplace: bool = False
    elsewhere: tuple[Elsewhere, ...] = ()
    next_receipt: NextReceipt | None = None
    fits_from: datetime | None = None
    counted: Decimal | None = None
    given_unit: Pack | None = None
    notice: Notice | None = None
    parts: tuple[Part, ...] = ()
    lot: Lot | None = None
    expired: Decimal = NOTHING
    is_emptied: bool = False  # It took the last of all lots there.
    serials: tuple[SerialFault, ...] = ()

    @property
    def is_refused_itself(self) -> bool:
        """Say whether it is refused for a reason of its own, not for that of another one."""
        return self.refusal not in {None, Refusal.HELD_BACK}

    @property
    def is_short(self) -> bool:
        """Say whether it is refused for lack of stock."""
        return self.refusal in {Refusal.NOT_ENOUGH, Refusal.NOT_ENOUGH_THEN}

    @property
    def frozen_by(self) -> UUID | None:
        """The freeze that refuses it, if one does."""
        if self.refusal is not Refusal.FROZEN:
            return None
        return self.spot.frozen_by or (self.counterspot.frozen_by if self.counterspot else None)


Spots = Mapping[tuple[Reference, Reference], Spot]
Balances = dict[Level, Balance]
