from alembic import op

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    """Let a person have one open approval of the same, and what it hangs on close it."""
    op.execute("""
        ALTER TABLE inventory.approvals
            ADD COLUMN subject_id uuid,
            ADD COLUMN asked_hash bytea,
            ADD COLUMN stale_cause text""")
    op.execute("""
        CREATE UNIQUE INDEX approvals_asked_once
        ON inventory.approvals (tenant_id, requester_id, asked_hash) WHERE state = 'open'""")
    op.execute("""
        CREATE INDEX approvals_of_subject ON inventory.approvals (tenant_id, subject_id)
        WHERE state = 'open' AND subject_id IS NOT NULL""")
    op.execute("GRANT UPDATE (stale_cause) ON inventory.approvals TO inventory_app")
