from alembic import op
from sqlalchemy import text

from shared.identifiers import identifier_key

revision = "0004"
down_revision = "0003"

# Ledger rows have 18 digits; a day may hold many of them, each way.
SUMMED = {
    "consumption": ("issued", "received", "transferred", "adjusted", "counted"),
    "levels": ("on_hand", "reserved"),
}


def upgrade() -> None:
    op.execute(
        "ALTER TABLE forecasting.models "
        "ADD COLUMN assumptions jsonb NOT NULL DEFAULT '[]'"  # Of models trained before.
    )
    for table, columns in SUMMED.items():
        widened = ", ".join(f"ALTER COLUMN {name} TYPE numeric(30, 4)" for name in columns)
        op.execute(f"ALTER TABLE forecasting.{table} {widened}")
    _take_what_inventory_says()
    _fill_keys()


def _take_what_inventory_says() -> None:
    """Give items a key to find them by, and drop what would refuse an entry of inventory's.

    Inventory alone says that a code names one item: two that took each other's come in one page.
    A name may be there in one language only. The release before writes no key.
    """
    op.execute("ALTER TABLE forecasting.items DROP CONSTRAINT items_tenant_id_code_key")
    op.execute("ALTER TABLE forecasting.items ADD COLUMN code_key text")
    for column in ("name_en", "name_fr"):
        op.execute(f"ALTER TABLE forecasting.items ALTER COLUMN {column} DROP NOT NULL")
    op.execute("CREATE INDEX items_code ON forecasting.items (tenant_id, code)")
    op.execute("CREATE INDEX items_code_key ON forecasting.items (tenant_id, code_key)")


def _fill_keys() -> None:
    connection = op.get_bind()
    found = connection.execute(text("SELECT tenant_id, id, code FROM forecasting.items"))
    keys = [
        {"tenant_id": row.tenant_id, "id": row.id, "key": identifier_key(row.code)} for row in found
    ]
    if keys:
        connection.execute(
            text(
                "UPDATE forecasting.items SET code_key = :key "
                "WHERE tenant_id = :tenant_id AND id = :id"
            ),
            keys,
        )
