from alembic import op

from shared.migrations.foundation import TENANT, tenant_table

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Let a movement be undone by another, once."""
    op.execute(f"""
        CREATE TABLE inventory.reversals (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            movement_id uuid NOT NULL,
            reversal_id uuid NOT NULL,
            CONSTRAINT reversals_pkey PRIMARY KEY (tenant_id, movement_id),
            CONSTRAINT reversals_of_another CHECK (movement_id <> reversal_id)
        )""")
    tenant_table("inventory", "reversals", "SELECT, INSERT")
    op.execute("ALTER TABLE inventory.movements ADD COLUMN reverses uuid")
    op.execute("""
        ALTER TABLE inventory.movements ADD CONSTRAINT movements_reversing
        CHECK ((kind = 'reversal') = (reverses IS NOT NULL)) NOT VALID""")
