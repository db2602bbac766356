"""Locks of the service's own, one tree over its journal, and months added ahead."""

from shared.migrations.evidence import create_calendar, create_locks, create_tree, create_verifier

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    create_locks("inventory")
    create_verifier("inventory", "journal")
    create_tree("inventory")
    create_calendar("inventory")
