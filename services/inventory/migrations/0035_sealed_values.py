"""Which values of inventory another key sealed."""

from shared.migrations.sealed import create_sealed_values

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    create_sealed_values("inventory")
