"""What a scanner read, and the item that is meant by it."""

from services.inventory.items.errors import ItemNotFound
from services.inventory.scan.errors import CheckDigitWrong, LabelUnreadable, ScanAmbiguous
from services.inventory.scan.rules import (
    CheckDigitError,
    Form,
    LabelUnreadableError,
    Reading,
    readings,
)
from services.inventory.scan.schemas import ElementRead, ScanRead
from services.inventory.serials.schemas import SerialRead
from services.inventory.serials.service import find_serials
from services.inventory.stock.schemas import LookupRead
from services.inventory.stock.service import look_up, look_up_all
from shared.db import Database
from shared.identifiers import identifier_key
from shared.principal import Principal

KILOGRAMS = frozenset({"kg", "kgm"})  # As people write it, and UN/ECE Recommendation 20.


async def read_scan(
    database: Database, value: str, *, caller: Principal, language: str
) -> ScanRead:
    """Return what a text says that was scanned.

    A label whose item is not known is read all the same. Raises ItemNotFound where it is neither
    label nor code nor serial, LabelUnreadable, CheckDigitWrong, ScanAmbiguous.
    """
    try:
        ways = readings(value)
    except LabelUnreadableError as error:
        raise LabelUnreadable(part=error.part) from error
    except CheckDigitError as error:
        raise CheckDigitWrong(number=error.number) from error
    coded = [way for way in ways if way.code is not None]
    found = await look_up_all(
        database, [way.code or "" for way in coded], caller=caller, language=language
    )
    items = [(way, one.item) for way, one in zip(coded, found.results, strict=True) if one.item]
    if len({item.id for _, item in items}) > 1:
        raise ScanAmbiguous(candidates=[item.code for _, item in items])
    if items:
        way, item = items[0]
        return _to_read(way, item, await _find_serial(database, way, item, caller))
    if ways[-1].form is Form.CODE:
        return await _of_serial(database, value, caller=caller, language=language)
    return _to_read(ways[-1], None)


async def _find_serial(
    database: Database, way: Reading, item: LookupRead, caller: Principal
) -> SerialRead | None:
    """Return the unit whose serial a label names, if the item has such a one."""
    if way.serial is None:
        return None
    found = await find_serials(database, way.serial, item.id, caller=caller)
    return found[0] if found else None


async def _of_serial(
    database: Database, value: str, *, caller: Principal, language: str
) -> ScanRead:
    """Return the unit of which a text is the serial. Raises ItemNotFound, ScanAmbiguous."""
    found = await find_serials(database, value, None, caller=caller)
    if not found:
        raise ItemNotFound(item=value)
    if len(found) > 1:
        raise ScanAmbiguous(candidates=[serial.item for serial in found])
    [serial] = found
    item = await look_up(database, str(serial.item_id), caller=caller, language=language)
    return _to_read(Reading(Form.SERIAL, item.code, serial=serial.serial), item, serial)


def _to_read(way: Reading, item: LookupRead | None, serial: SerialRead | None = None) -> ScanRead:
    is_weighed = item is not None and identifier_key(item.unit) in KILOGRAMS
    unit = None if item is None else (item.pack.unit if item.pack else item.unit)
    weight = way.net_weight_kg if is_weighed else None
    return ScanRead(
        form=way.form,
        item=item,
        gtin=way.gtin,
        lot=way.lot,
        serial=way.serial,
        serial_location=None if serial is None else serial.location,
        expiry=way.expiry,
        best_before=way.best_before,
        produced=way.produced,
        quantity=way.count if weight is None else weight,
        unit=unit if weight is None or item is None else item.unit,
        net_weight_kg=way.net_weight_kg,
        sscc=way.sscc,
        elements=[ElementRead.model_validate(each) for each in way.elements],
    )
