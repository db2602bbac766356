"""When each follower last read."""

from shared.migrations.following import note_reading

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    note_reading("auth")
