"""One name means one thing: codes and barcodes share a table of keys, locations have a key.

Where two names of before are the same by key ("abc" and "ABC"), the first one keeps the key, codes
before barcodes. The others lose nothing: they are shown as ever, but are reached by id alone, until
somebody gives them a text of their own. Their keys end in a control character and the id, which no
request can hold. The migration logs each.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from alembic import op
from sqlalchemy import text

from shared.identifiers import find_id, identifier_key
from shared.log import log
from shared.migrations.foundation import TENANT, tenant_table

revision = "0004"
down_revision = "0003"

BATCH = 5_000


def upgrade() -> None:
    _create_identifiers()
    _fill_identifiers()
    op.execute("DROP TABLE inventory.barcodes")
    _give_locations_keys()
    _let_one_language_be_missing()
    _name_keys_to_levels()


def _create_identifiers() -> None:
    """A row for each key; what is both code and barcode of an item is one row."""
    op.execute(f"""
        CREATE TABLE inventory.identifiers (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            key text NOT NULL,
            item_id uuid NOT NULL,
            is_code boolean NOT NULL,
            barcode text CONSTRAINT identifiers_barcode_length CHECK (
                length(barcode) BETWEEN 1 AND 64),
            CONSTRAINT identifiers_pkey PRIMARY KEY (tenant_id, key),
            CONSTRAINT identifiers_item FOREIGN KEY (tenant_id, item_id)
                REFERENCES inventory.items (tenant_id, id),
            CONSTRAINT identifiers_kind CHECK (is_code OR barcode IS NOT NULL)
        )""")
    op.execute("CREATE INDEX identifiers_of_item ON inventory.identifiers (tenant_id, item_id)")
    op.execute(
        "CREATE UNIQUE INDEX identifiers_one_code ON inventory.identifiers (tenant_id, item_id) "
        "WHERE is_code"
    )
    tenant_table("inventory", "identifiers")


def _fill_identifiers() -> None:
    rows: dict[tuple[UUID, str], dict[str, Any]] = {}
    for found in _read("SELECT tenant_id, id, code FROM inventory.items ORDER BY created_at, id"):
        key = _key(found.code)
        if (found.tenant_id, key) in rows:
            _tell(found.tenant_id, "code", found.code, found.id)
            key = _unreachable(key, found.id)
        rows[found.tenant_id, key] = _row(found.tenant_id, key, found.id, is_code=True)
    barcodes = _read(
        "SELECT tenant_id, barcode, item_id FROM inventory.barcodes ORDER BY item_id, barcode"
    )
    for found in barcodes:
        key = _key(found.barcode)
        holder = rows.get((found.tenant_id, key))
        if holder is not None and holder["item_id"] == found.item_id and holder["barcode"] is None:
            holder["barcode"] = found.barcode
            continue
        if holder is not None:
            _tell(found.tenant_id, "barcode", found.barcode, found.item_id)
            key = _unreachable(f"{key}\x1f{found.barcode}", found.item_id)
        rows[found.tenant_id, key] = _row(
            found.tenant_id, key, found.item_id, is_code=False, barcode=found.barcode
        )
    _write(
        "INSERT INTO inventory.identifiers (tenant_id, key, item_id, is_code, barcode) "
        "VALUES (:tenant_id, :key, :item_id, :is_code, :barcode)",
        rows.values(),
    )


def _give_locations_keys() -> None:
    op.execute("ALTER TABLE inventory.locations ADD COLUMN name_key text")
    keys: dict[tuple[UUID, str], dict[str, Any]] = {}
    found_rows = _read(
        "SELECT tenant_id, id, name FROM inventory.locations ORDER BY created_at, id"
    )
    for found in found_rows:
        key = _key(found.name)
        if (found.tenant_id, key) in keys:
            _tell(found.tenant_id, "location", found.name, found.id)
            key = _unreachable(key, found.id)
        keys[found.tenant_id, key] = {"id": found.id, "key": key}
    _write("UPDATE inventory.locations SET name_key = :key WHERE id = :id", keys.values())
    op.execute("ALTER TABLE inventory.locations ALTER COLUMN name_key SET NOT NULL")
    op.execute(
        "ALTER TABLE inventory.locations "
        "ADD CONSTRAINT locations_named_once UNIQUE (tenant_id, name_key)"
    )


def _let_one_language_be_missing() -> None:
    """Null is a language in which nothing was said: the other one stands for it when read."""
    for column in ("name_en", "name_fr", "description_en", "description_fr"):
        op.execute(f"ALTER TABLE inventory.items ALTER COLUMN {column} DROP NOT NULL")
    for column in ("description_en", "description_fr"):
        op.execute(f"ALTER TABLE inventory.items ALTER COLUMN {column} DROP DEFAULT")
    op.execute(
        "ALTER TABLE inventory.items ADD CONSTRAINT items_named "
        "CHECK (name_en IS NOT NULL OR name_fr IS NOT NULL)"
    )
    op.execute(
        "UPDATE inventory.items SET description_en = NULL, description_fr = NULL "
        "WHERE description_en = '' AND description_fr = ''"
    )


def _name_keys_to_levels() -> None:
    """What a removal can break gets a name of ours, by which it is told."""
    for column, name in (("item_id", "levels_of_item"), ("location_id", "levels_at_location")):
        op.execute(
            "ALTER TABLE inventory.levels "
            f"RENAME CONSTRAINT levels_tenant_id_{column}_fkey TO {name}"
        )


def _key(name: str) -> str:
    """Return the key of a text; one in the form of an id, which names an id now, keeps apart."""
    key = identifier_key(name)
    return f"{key}\x1f" if find_id(name) else key


def _unreachable(key: str, row_id: UUID) -> str:
    return f"{key}\x1f{row_id}"


def _row(
    tenant_id: UUID, key: str, item_id: UUID, *, is_code: bool, barcode: str | None = None
) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id, "key": key, "item_id": item_id, "is_code": is_code,
        "barcode": barcode,
    }  # fmt: skip


def _tell(tenant_id: UUID, kind: str, name: str, row_id: UUID) -> None:
    log.warning(
        "this name is another's; reach it by its id, and give it a name of its own",
        tenant_id=str(tenant_id),
        kind=kind,
        name=name,
        id=str(row_id),
    )


def _read(statement: str) -> Iterable[Any]:
    return op.get_bind().execute(text(statement))


def _write(statement: str, rows: Iterable[dict[str, Any]]) -> None:
    everything = list(rows)
    for start in range(0, len(everything), BATCH):
        op.get_bind().execute(text(statement), everything[start : start + BATCH])
