"""The journal can move to a server whose transaction ids stand lower."""

from shared.migrations.journal_base import create_journal_base

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    create_journal_base("inventory")
