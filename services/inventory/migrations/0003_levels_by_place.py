from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Let either index of levels find one level alone.

    On a database without statistics the planner cannot tell the two apart, and by place alone it
    would read every level of the place to lock one.
    """
    op.execute("DROP INDEX inventory.levels_location")
    op.execute(
        "CREATE INDEX levels_location ON inventory.levels (tenant_id, location_id, item_id, lot_id)"
    )
