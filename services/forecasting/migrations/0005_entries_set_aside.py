from alembic import op

from shared.migrations.following import create_set_aside

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    create_set_aside("forecasting")
    # An entry dated "-infinity" is set aside, not counted. What was counted before is left alone.
    op.execute(
        "ALTER TABLE forecasting.consumption ADD CONSTRAINT consumption_day "
        "CHECK (day BETWEEN '1970-01-01' AND '2999-12-31') NOT VALID"
    )
