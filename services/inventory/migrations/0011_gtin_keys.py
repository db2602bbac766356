"""The keys of GTINs are their fourteen digits: UPC-A, EAN-13 and GTIN-14 of one number are one.

Where an item has one number in several forms, the one that it was added in first is kept. Where two
items have it, the first one keeps the key, codes before barcodes, as in 0004: the other's text is
shown as ever, but does not find it until it is given one of its own. The migration logs each.
"""

from typing import Any

from alembic import op
from sqlalchemy import text

from shared.gtin import find_gtin
from shared.log import log

revision = "0011"
down_revision = "0010"

BATCH = 5_000


def upgrade() -> None:
    holders: dict[tuple[Any, str], Any] = {}
    gone: list[dict[str, Any]] = []
    printed: list[dict[str, Any]] = []
    aside: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    for row in op.get_bind().execute(text(_NUMBERS)):
        gtin = find_gtin(row.key)
        if gtin is None:
            continue
        here = {"tenant_id": row.tenant_id, "key": row.key}
        holder = holders.setdefault((row.tenant_id, gtin), row)
        if holder is row:
            if row.key != gtin:
                moved.append(here | {"new_key": gtin})
        elif holder.item_id == row.item_id:
            gone.append(here)
            if holder.barcode is None:  # A code, which is the item's barcode too.
                printed.append(here | {"key": holder.key, "barcode": row.barcode})
                holders[row.tenant_id, gtin] = row
        else:
            aside.append(here | {"new_key": f"{gtin}\x1f{row.key}\x1f{row.item_id}"})
            log.warning(
                "this number is another item's; give the item one of its own",
                tenant_id=str(row.tenant_id),
                number=row.key,
                item_id=str(row.item_id),
            )
    _write(f"DELETE FROM inventory.identifiers {_HERE}", gone)
    _write(f"UPDATE inventory.identifiers SET barcode = :barcode {_HERE}", printed)
    for rows in (aside, moved):
        _write(f"UPDATE inventory.identifiers SET key = :new_key {_HERE}", rows)


def _write(statement: str, rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), BATCH):
        op.get_bind().execute(text(statement), rows[start : start + BATCH])


_HERE = "WHERE tenant_id = :tenant_id AND key = :key"
_NUMBERS = """
    SELECT n.tenant_id, n.key, n.item_id, n.is_code, n.barcode
    FROM inventory.identifiers n JOIN inventory.items i ON i.id = n.item_id
    WHERE n.key ~ '^([0-9]{8}|[0-9]{12,14})$'
    ORDER BY n.tenant_id, n.is_code DESC, i.created_at, i.id, n.key"""
