"""Which values of auth another key sealed."""

from shared.migrations.sealed import create_sealed_values

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    create_sealed_values("auth")
