"""What can be said of a journal entry without the database."""

import base64
import binascii
import re

import orjson
from pydantic import ValidationError

from shared.contracts.inventory.movements import StockMoved
from shared.contracts.inventory.prices import PriceSet

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUMBER = re.compile(r"-?[0-9]{1,1000}(\.[0-9]{1,1000})?")


def is_readable(kind: str, data: str) -> bool:
    """Say whether an entry of a movement or price says what one must, each value in its form."""
    entry = PriceSet if kind == PriceSet.name else StockMoved
    try:
        entry.model_validate_json(data)
    except ValidationError:
        return False
    said = orjson.loads(data)
    if not _is_sealed_amount(said["amount_sealed"]):
        return False
    if entry is PriceSet:
        return all(_ID.fullmatch(said[name]) for name in ("price_id", "item_id"))
    ids = [
        said["movement_id"],
        said["item_id"],
        said["location_id"],
        said["cost_id"],
        said.get("lot_id"),
        said.get("reverses"),
    ]
    numbers = [said["quantity"], said["balance_after"], said.get("given_quantity") or "0"]
    return all(one is None or _ID.fullmatch(one) for one in ids) and all(
        isinstance(one, str) and _NUMBER.fullmatch(one) for one in numbers
    )


def _is_sealed_amount(amount: str | None) -> bool:
    try:
        return amount is None or bool(base64.b64decode(amount, validate=True))
    except binascii.Error:
        return False
