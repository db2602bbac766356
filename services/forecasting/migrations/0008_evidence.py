"""Locks of the service's own, one tree over its journal, and months added ahead."""

from shared.migrations.evidence import create_calendar, create_locks, create_tree, create_verifier

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    create_locks("forecasting")
    create_verifier("forecasting", "journal")
    create_tree("forecasting")
    create_calendar("forecasting")
