"""Where the movements of one group bring lots, so that later ones of it may take from there."""

from collections.abc import Callable, Sequence
from uuid import UUID

from services.inventory.ledger.rules.changes import Change, Spots
from services.inventory.ledger.rules.kinds import BRINGS_LOTS
from services.inventory.ledger.rules.lots import Lot, Lots


def follow_lots(
    changes: Sequence[Change], spots: Spots, lots: Lots, new_id: Callable[[], UUID]
) -> set[UUID]:
    """Let the lots be known wherever changes of items with lots may bring them.

    A lot that a receipt is the first to name is made, as a new one; returns the ids of these.
    """
    new: set[UUID] = set()
    for change in changes:
        spot = spots[change.item, change.place]
        if spot.item_id is None or spot.place_id is None:
            continue
        if change.lot is not None and change.kind in BRINGS_LOTS:
            name = spot.item_id, change.lot.key
            if name not in lots.named:
                lots.named[name] = Lot(new_id(), None, is_new=True)
                new.add(lots.named[name].id)
        touched = _touched(change, spot.item_id, spot.place_id, lots)
        lots.at.setdefault((spot.item_id, spot.place_id), {}).update(touched)
        if change.counterplace is not None:
            counterspot = spots[change.item, change.counterplace]
            if counterspot.place_id is not None:
                lots.at.setdefault((spot.item_id, counterspot.place_id), {}).update(touched)
    return new


def _touched(change: Change, item_id: UUID, place_id: UUID, lots: Lots) -> dict[UUID, Lot]:
    if change.shares:
        return {lot.id: lot for lot, _ in change.shares}
    if change.lot is None:
        return lots.at.get((item_id, place_id), {})
    lot = lots.named.get((item_id, change.lot.key))
    return {} if lot is None else {lot.id: lot}
