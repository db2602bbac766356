"""Locks of the service's own, one tree over its journal, and months added ahead."""

from shared.migrations.evidence import create_calendar, create_locks, create_tree, create_verifier

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    create_locks("auth")
    create_verifier("auth", "journal")
    create_tree("auth")
    create_calendar("auth")
