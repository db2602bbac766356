from alembic import op

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
    _let_codes_change_hands()


def _let_codes_change_hands() -> None:
    """Drop what stops two items that took each other's code when both arrive in one page.

    Inventory alone says that a code names one item; what it journaled is never refused here.
    """
    op.execute("ALTER TABLE forecasting.items DROP CONSTRAINT items_tenant_id_code_key")
    op.execute("CREATE INDEX items_code ON forecasting.items (tenant_id, code)")
