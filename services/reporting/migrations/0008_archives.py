"""Months of the journal that are older than policy go into archives."""

from shared.migrations.archives import create_archives

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    create_archives("reporting")
