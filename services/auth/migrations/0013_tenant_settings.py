"""What a tenant's administrator sets: country, time zone and the rest."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE auth.tenants
            ADD COLUMN country text
                CONSTRAINT tenants_country CHECK (country ~ '^[A-Z]{2}$'),
            ADD COLUMN time_zone text NOT NULL DEFAULT 'UTC'
                CONSTRAINT tenants_time_zone CHECK (length(time_zone) BETWEEN 1 AND 64),
            ADD COLUMN revision int NOT NULL DEFAULT 1
                CONSTRAINT tenants_revision CHECK (revision > 0)""")
    # Neither the short name, which is in sign-ins, nor the currency, which amounts are in.
    op.execute("""
        GRANT UPDATE (name, language, country, time_zone, registration, two_factor_required,
            revision) ON auth.tenants TO auth_app""")
