"""What can be said of a journal entry without the database."""

import re

import orjson
from pydantic import ValidationError

from shared.contracts.inventory.movements import StockMoved

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUMBER = re.compile(r"-?[0-9]{1,1000}(\.[0-9]{1,1000})?")


def is_readable(data: str) -> bool:
    """Say whether a journal entry of a movement says what one must, each value in its form."""
    try:
        StockMoved.model_validate_json(data)
    except ValidationError:
        return False
    said = orjson.loads(data)
    ids = [
        said["movement_id"],
        said["item_id"],
        said["location_id"],
        said["cost_id"],
        said.get("reverses"),
    ]
    numbers = [said["quantity"], said["balance_after"]]
    return all(one is None or _ID.fullmatch(one) for one in ids) and all(
        isinstance(one, str) and _NUMBER.fullmatch(one) for one in numbers
    )
