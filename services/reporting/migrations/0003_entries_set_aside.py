from shared.migrations.following import create_set_aside

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    create_set_aside("reporting")
