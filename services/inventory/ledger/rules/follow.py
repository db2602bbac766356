"""Where the movements of one group bring lots, so that later ones of it may take from there."""

from collections.abc import Callable, Sequence
from uuid import UUID

from services.inventory.ledger.rules.changes import Change, Spot, Spots
from services.inventory.ledger.rules.kinds import BRINGS_LOTS
from services.inventory.ledger.rules.lots import Lot, LotName, Lots


def follow_lots(
    changes: Sequence[Change], spots: Spots, lots: Lots, new_id: Callable[[], UUID]
) -> set[UUID]:
    """Let the lots and serials be known wherever changes of items with them may bring them.

    A lot that a receipt is the first to name is made, as a new one, and so is any serial that is
    not there; returns the ids of these.
    """
    new: set[UUID] = set()
    for change in changes:
        spot = spots[change.item, change.place]
        if spot.item_id is None or spot.place_id is None:
            continue
        for name in _named(change, spot):
            if (spot.item_id, name.key) not in lots.named:
                lot = Lot(new_id(), name.text if spot.has_serials else None, is_new=True)
                lots.named[spot.item_id, name.key] = lot
                new.add(lot.id)
        touched = _touched(change, spot.item_id, spot.place_id, lots)
        lots.at.setdefault((spot.item_id, spot.place_id), {}).update(touched)
        if change.counterplace is not None:
            counterspot = spots[change.item, change.counterplace]
            if counterspot.place_id is not None:
                lots.at.setdefault((spot.item_id, counterspot.place_id), {}).update(touched)
    return new


def _named(change: Change, spot: Spot) -> Sequence[LotName]:
    """Return the names of what is made where it is not there."""
    if spot.has_serials:
        return change.serials or ()
    return () if change.lot is None or change.kind not in BRINGS_LOTS else (change.lot,)


def _touched(change: Change, item_id: UUID, place_id: UUID, lots: Lots) -> dict[UUID, Lot]:
    if change.shares:
        return {lot.id: lot for lot, _ in change.shares}
    if change.serials is not None:
        found = (lots.named.get((item_id, name.key)) for name in change.serials)
        return {lot.id: lot for lot in found if lot is not None}
    if change.lot is None:
        return lots.at.get((item_id, place_id), {})
    lot = lots.named.get((item_id, change.lot.key))
    return {} if lot is None else {lot.id: lot}
