"""What can be said of a journal entry without the database."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from pydantic import ValidationError

from shared.contracts.inventory.counts import PROOF_BYTES, CountEntered
from shared.contracts.inventory.movements import StockMoved
from shared.contracts.inventory.openings import OpeningRecorded
from shared.contracts.inventory.prices import PriceSet
from shared.journal import Entry

_KINDS: Mapping[str, type[Entry]] = {
    each.name: each for each in (StockMoved, PriceSet, CountEntered, OpeningRecorded)
}
PROVING_TYPES = frozenset(_KINDS)  # Of entries that rows are compared with.
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # A character that no text in PostgreSQL has.
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(rf"{_DAY.pattern}T[0-9:]{{8}}(\.[0-9]{{1,6}})?(Z|[+-][0-9]{{2}}:[0-9]{{2}})")
_NUMBER = re.compile(r"-?[0-9]{1,1000}(\.[0-9]{1,1000})?")


def is_readable(kind: str, data: str) -> bool:
    """Say whether an entry says what one must, each value in its form.

    It is one of a movement, of a price, of a call that entered what was counted, or of an opening.
    """
    entry = _KINDS.get(kind, StockMoved)
    if _NUL.search(data):
        return False
    try:
        entry.model_validate_json(data)
    except ValidationError:
        return False
    said = orjson.loads(data)
    if entry in _READ_BY:
        return _READ_BY[entry](said)
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
        said.get("part_of"),
    ]
    numbers = [said["quantity"], said["balance_after"], said.get("given_quantity") or "0"]
    return all(one is None or _ID.fullmatch(one) for one in ids) and all(
        isinstance(one, str) and _NUMBER.fullmatch(one) for one in numbers
    )


def _is_opening(said: dict[str, Any]) -> bool:
    day, instant = said["month"], said["since"]
    return bool(
        isinstance(day, str) and _DAY.fullmatch(day)
        and isinstance(instant, str) and _INSTANT.fullmatch(instant)
        and all(isinstance(said[name], int) for name in ("movements", "levels"))
    )  # fmt: skip


def _has_proofs(said: dict[str, Any]) -> bool:
    """Say whether there is a proof for each entry of a call, or for none."""
    if not _ID.fullmatch(said["count_id"]):
        return False
    try:
        proofs = base64.b64decode(said.get("proofs", ""), validate=True)
    except binascii.Error:
        return False
    return len(proofs) in {0, said["entries"] * (16 + PROOF_BYTES)}


def _is_sealed_amount(amount: str | None) -> bool:
    try:
        return amount is None or bool(base64.b64decode(amount, validate=True))
    except binascii.Error:
        return False


_READ_BY: Mapping[type[Entry], Callable[[dict[str, Any]], bool]] = {
    CountEntered: _has_proofs,
    OpeningRecorded: _is_opening,
}
