from shared.migrations.following import create_rebuilds

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    create_rebuilds("forecasting")
