"""Codes and barcodes: none names two items."""

from collections.abc import Iterable, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.items import queries
from services.inventory.items.errors import (
    BarcodeOnTwoUnits,
    BarcodeTaken,
    ItemCodeTaken,
    PackBarcodeIsCode,
    UnknownUnit,
)
from services.inventory.items.models import Item
from services.inventory.items.rules import Label, Units, labels_of
from services.inventory.items.schemas import BarcodeCreate
from services.inventory.items.service.units import units_of
from shared.gtin import item_key
from shared.identifiers import identifier_key


async def name_item(
    session: AsyncSession,
    item: Item,
    *,
    code: str | None = None,
    barcodes: Sequence[BarcodeCreate] | None = None,
) -> dict[str, Label]:
    """Give an item its code and barcodes, and return all that names it then, by key.

    What is None stays as it is; all other barcodes go. The item has its units already.
    Raises ItemCodeTaken, BarcodeTaken, BarcodeOnTwoUnits, UnknownUnit, PackBarcodeIsCode.
    """
    before = await queries.list_labels(session, item.id)
    if code is not None:
        code_key = item_key(code)
    else:
        code_key = next(key for key, label in before.items() if label.is_code)
    if barcodes is None:
        known = [label for label in before.values() if label.barcode is not None]
        printed = [(label.barcode or "", label.unit) for label in known]
    else:
        printed = [(barcode.code, barcode.unit) for barcode in barcodes]
    on_packs = _on_packs(printed, units_of(item), item.code)
    _require_one_unit(on_packs, item.code)
    labels = labels_of(code_key, on_packs)
    if (own := labels[code_key]).unit is not None:
        raise PackBarcodeIsCode(barcode=own.barcode or item.code)
    gone = [key for key, label in before.items() if labels.get(key) != label]
    new = {key: label for key, label in labels.items() if before.get(key) != label}
    if gone:
        await queries.release_keys(session, gone)
    if new:
        claimed = await queries.claim_keys(session, item.id, new)
        if taken := sorted(new.keys() - claimed):
            await _refuse(session, taken, code_key, code or item.code, labels)
    return labels


def _on_packs(
    printed: Iterable[tuple[str, str | None]], units: Units, code: str
) -> list[tuple[str, str | None]]:
    """Return barcodes with the keys of their packs, None for the stock unit."""
    found: list[tuple[str, str | None]] = []
    for barcode, unit in printed:
        pack = None if unit is None else units.find(unit)
        if unit is not None and pack is None:
            raise UnknownUnit(item=code, unit=unit, units=units.names)
        is_pack = pack is not None and pack in units.packs
        found.append((barcode, identifier_key(pack.unit) if pack and is_pack else None))
    return found


def _require_one_unit(printed: Iterable[tuple[str, str | None]], code: str) -> None:
    """Raise BarcodeOnTwoUnits where one is on two units, in whatever forms it is written."""
    units: dict[str, str | None] = {}
    for barcode, unit in printed:
        if units.setdefault(item_key(barcode), unit) != unit:
            raise BarcodeOnTwoUnits(barcode=barcode, item=code)


async def _refuse(
    session: AsyncSession, taken: list[str], code_key: str, code: str, labels: dict[str, Label]
) -> None:
    """Say which item has the first of the keys that were taken, the code before barcodes."""
    holders = await queries.list_holders(session, taken)
    if code_key in holders:
        raise ItemCodeTaken(asked=code, item=holders[code_key])
    key, holder = next(iter(holders.items()))
    raise BarcodeTaken(barcode=labels[key].barcode or key, item=holder)
