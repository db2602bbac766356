from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("ALTER TABLE inventory.items ADD COLUMN attributes jsonb NOT NULL DEFAULT '{}'")
    op.execute(
        "ALTER TABLE inventory.items ADD CONSTRAINT items_attributes_named "
        "CHECK (jsonb_typeof(attributes) = 'object')"
    )
    op.execute("ALTER TABLE inventory.categories ADD COLUMN attribute_schema jsonb")
    op.execute(
        "ALTER TABLE inventory.categories ADD CONSTRAINT categories_attribute_schema_is_object "
        "CHECK (jsonb_typeof(attribute_schema) = 'object')"
    )
