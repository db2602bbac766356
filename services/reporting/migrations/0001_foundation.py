from shared.migrations.foundation import create_foundation

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_foundation("reporting")
