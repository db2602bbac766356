"""The journal can move to a server whose transaction ids stand lower."""

from shared.migrations.journal_base import create_journal_base

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    create_journal_base("forecasting")
