"""When each follower last read."""

from shared.migrations.following import note_reading

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    note_reading("forecasting")
