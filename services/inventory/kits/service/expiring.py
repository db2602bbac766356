"""Until when kits last: no longer than what they are made of."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.kits import queries
from services.inventory.kits.errors import KitOutlastsComponents
from services.inventory.kits.rules import first_expiry, outlasts
from services.inventory.ledger.rules import Change, Outcome


async def bound_expiry(session: AsyncSession, foreseen: Sequence[Outcome]) -> list[Change]:
    """Return the changes of an assembly, the kit's last, whose new lot expires with its components.

    All of them were granted, under lock. Raises KitOutlastsComponents.
    """
    kit = foreseen[-1]
    changes = [outcome.change for outcome in foreseen]
    limit = first_expiry(
        part.lot.expires_on
        for outcome in foreseen[:-1]
        for part in outcome.parts
        if part.lot is not None
    )
    lot, item_id = kit.change.lot, kit.spot.item_id
    if limit is None or lot is None or item_id is None:
        return changes
    known = await queries.find_lot_expiry(session, item_id, lot.key)
    is_new = known is None
    day = known[0] if known is not None else kit.change.expires_on or limit
    if outlasts(day, limit):
        raise KitOutlastsComponents(item=_code(kit), lot=lot.text, limit=limit)
    return [*changes[:-1], kit.change._replace(expires_on=day)] if is_new else changes


def has_lot(changes: Sequence[Change]) -> bool:
    """Say whether the kits, which come last, are put into a lot."""
    return changes[-1].lot is not None


def _code(kit: Outcome) -> str:
    return kit.spot.code or kit.change.item.text
