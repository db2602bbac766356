"""When each follower last read."""

from shared.migrations.following import note_reading

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    note_reading("reporting")
