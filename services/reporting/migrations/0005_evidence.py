"""Locks of the service's own, one tree over its journal, and months added ahead."""

from alembic import op

from shared.migrations.evidence import create_calendar, create_locks, create_tree, create_verifier

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    create_locks("reporting")
    create_verifier("reporting", "journal", "audit_entries")
    create_tree("reporting")
    create_calendar("reporting")
    # The copies are compared with the journals that they are of, entry by entry.
    op.execute("CREATE INDEX audit_entries_seq ON reporting.audit_entries (service, seq)")
