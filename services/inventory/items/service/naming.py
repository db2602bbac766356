"""Codes and barcodes: none names two items."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.items import queries
from services.inventory.items.errors import BarcodeTaken, ItemCodeTaken
from services.inventory.items.models import Item
from services.inventory.items.rules import Label, labels_of
from shared.identifiers import identifier_key


async def name_item(
    session: AsyncSession, item: Item, *, code: str | None = None, barcodes: list[str] | None = None
) -> dict[str, Label]:
    """Give an item its code and barcodes, and return all that names it then, by key.

    What is None stays as it is; all other barcodes go. Raises ItemCodeTaken, BarcodeTaken.
    """
    before = await queries.list_labels(session, item.id)
    if code is not None:
        code_key = identifier_key(code)
    else:
        code_key = next(key for key, label in before.items() if label.is_code)
    if barcodes is None:
        kept = {key: label for key, label in before.items() if label.barcode is not None}
        labels = {key: Label(is_code=False, barcode=label.barcode) for key, label in kept.items()}
        labels[code_key] = Label(
            is_code=True, barcode=labels[code_key].barcode if code_key in labels else None
        )
    else:
        labels = labels_of(code_key, barcodes)
    gone = [key for key, label in before.items() if labels.get(key) != label]
    new = {key: label for key, label in labels.items() if before.get(key) != label}
    if gone:
        await queries.release_keys(session, gone)
    if new:
        claimed = await queries.claim_keys(session, item.id, new)
        if taken := sorted(new.keys() - claimed):
            await _refuse(session, taken, code_key, code or item.code, labels)
    return labels


async def _refuse(
    session: AsyncSession, taken: list[str], code_key: str, code: str, labels: dict[str, Label]
) -> None:
    """Say which item has the first of the keys that were taken, the code before barcodes."""
    holders = await queries.list_holders(session, taken)
    if code_key in holders:
        raise ItemCodeTaken(asked=code, item=holders[code_key])
    key, holder = next(iter(holders.items()))
    raise BarcodeTaken(barcode=labels[key].barcode or key, item=holder)
