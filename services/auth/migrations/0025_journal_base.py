"""The journal can move to a server whose transaction ids stand lower."""

from shared.migrations.journal_base import create_journal_base

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    create_journal_base("auth")
