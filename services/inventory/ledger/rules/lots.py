"""Lots: what a level is of, which lots a movement may take from, and in what order.

A serial is a lot of which there is one unit. Where that is not at a location, it is outside.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from shared.identifiers import identifier_key

NO_LOT = UUID(int=0)  # Of the levels of items without lots, and of what came before an item had.
TRACKS_LOTS = "lot"
TRACKS_SERIALS = "serial"
SERIALS_MAX = 10_000  # In one movement: two legs of each, counted in a smallint.
OUTSIDE = UUID(int=0)  # In place of a location: where a serial's unit is while in no stock.
Level = tuple[UUID, UUID, UUID]  # Item, location and lot.


class SerialReason(StrEnum):
    """Why a serial does not move as asked."""

    UNKNOWN = "unknown"  # It never was in stock.
    IN_STOCK = "in_stock"  # It cannot come: it lies somewhere.
    WAS_IN_STOCK = "was_in_stock"  # It cannot have come: it lay somewhere then, or later.
    ELSEWHERE = "elsewhere"
    GONE = "gone"  # It left stock.
    RESERVED = "reserved"
    CAME_LATER = "came_later"  # It lies there, but not for good since the time given.


class SerialFault(NamedTuple):
    """A serial that does not move as asked, with where it lies, if anywhere."""

    serial: str
    reason: SerialReason
    place_id: UUID | None = None
    place: str | None = None


class LotName(NamedTuple):
    """How a lot of an item, or a serial, is named."""

    key: str
    text: str  # As it was given.


def lot_name(text: str) -> LotName:
    """Return the lot or serial of an item that a text names."""
    return LotName(identifier_key(text), text)


@dataclass(slots=True)
class Lot:
    """Units of an item that came with one code. Nothing is known of a new one until it is received.

    received_at is when the receipt that named it first happened.
    """

    id: UUID
    code: str | None  # As typed first; None for stock of no lot.
    expires_on: date | None = None  # The last day on which it may be issued, by UTC.
    received_at: datetime | None = None
    is_new: bool = False

    def is_expired(self, at: datetime) -> bool:
        """Say whether its last day is over at an instant."""
        return self.expires_on is not None and self.expires_on < at.astimezone(UTC).date()


@dataclass(slots=True)
class Lots:
    """The lots that a group of movements may touch.

    `named` are those that some of them name, by item and key; `at` those that lie, or may come to
    lie, where some of them take what expires first or count serials, by item and location;
    `received` new ones that were received, with item and key; `lying` where serials lie, those
    that do: the location and its name.
    """

    named: dict[tuple[UUID, str], Lot] = field(default_factory=dict)
    at: dict[tuple[UUID, UUID], dict[UUID, Lot]] = field(default_factory=dict)
    received: list[tuple[UUID, str, Lot]] = field(default_factory=list)
    lying: dict[UUID, tuple[UUID, str]] = field(default_factory=dict)
    _ordered: dict[tuple[UUID, UUID], Sequence[Lot]] = field(default_factory=dict)

    def receive(self, item_id: UUID, name: LotName, expires_on: date | None, at: datetime) -> None:
        """Make a new lot what its first receipt says."""
        lot = self.named[item_id, name.key]
        lot.code, lot.expires_on, lot.received_at, lot.is_new = name.text, expires_on, at, False
        self.received.append((item_id, name.key, lot))
        self._ordered.clear()

    def first_expired_first_out(self, item_id: UUID, place_id: UUID) -> Sequence[Lot]:
        """Return the lots at a place in the order in which they go out.

        Those without expiry are last, the longest received first; then what is of no lot.
        """
        place = item_id, place_id
        if place not in self._ordered:
            self._ordered[place] = sorted(self.at.get(place, {}).values(), key=_order)
        return self._ordered[place]


def _order(lot: Lot) -> tuple[date, bool, datetime, UUID]:
    latest = datetime.max.replace(tzinfo=UTC)
    return lot.expires_on or date.max, lot.id == NO_LOT, lot.received_at or latest, lot.id
