"""Months of the journal that are older than policy go into archives."""

from shared.migrations.archives import create_archives

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    create_archives("inventory")
