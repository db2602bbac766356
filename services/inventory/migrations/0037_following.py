"""When each follower last read."""

from shared.migrations.following import note_reading

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    note_reading("inventory")
