from shared.migrations.following import create_rebuilds

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    create_rebuilds("reporting")
