"""Several packs for each item, barcodes of packs, and what was given beside a ledger row.

The pack that an item is ordered in, where it has a name, becomes the first of its packs; pack_size
and pack_unit stay and say which that is. A name of before that is the stock unit's is no pack.
"""

import json
from typing import Any

from alembic import op
from sqlalchemy import text

from shared.identifiers import identifier_key
from shared.money import plain

revision = "0010"
down_revision = "0009"

BATCH = 5_000


def upgrade() -> None:
    op.execute("ALTER TABLE inventory.items ADD COLUMN packs jsonb NOT NULL DEFAULT '[]'")
    op.execute(
        "ALTER TABLE inventory.items ADD CONSTRAINT items_packs_listed "
        "CHECK (jsonb_typeof(packs) = 'array')"
    )
    _fill_packs()
    op.execute("ALTER TABLE inventory.identifiers ADD COLUMN unit text")
    op.execute(
        "ALTER TABLE inventory.identifiers ADD CONSTRAINT identifiers_unit_of_barcode "
        "CHECK (unit IS NULL OR NOT is_code)"
    )
    # Null in all rows that are there, so nothing has to be looked through.
    op.execute(
        "ALTER TABLE inventory.movements ADD COLUMN given_quantity numeric(18, 4), "
        "ADD COLUMN given_unit text"
    )
    op.execute(
        "ALTER TABLE inventory.movements ADD CONSTRAINT movements_given_in_a_unit "
        "CHECK ((given_quantity IS NULL) = (given_unit IS NULL)) NOT VALID"
    )


def _fill_packs() -> None:
    found = op.get_bind().execute(
        text("SELECT id, unit, pack_unit, pack_size FROM inventory.items WHERE pack_unit <> ''")
    )
    rows: list[dict[str, Any]] = []
    for row in found:
        key = identifier_key(row.pack_unit)
        if key != identifier_key(row.unit):
            pack = {"unit": row.pack_unit, "key": key, "quantity": plain(row.pack_size)}
            rows.append({"id": row.id, "packs": json.dumps([pack])})
    for start in range(0, len(rows), BATCH):
        op.get_bind().execute(
            text("UPDATE inventory.items SET packs = CAST(:packs AS jsonb) WHERE id = :id"),
            rows[start : start + BATCH],
        )
