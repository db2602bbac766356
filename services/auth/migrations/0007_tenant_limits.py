"""How much single tenants may ask for."""

from alembic import op

from shared.migrations.foundation import grant

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    # Beside `tenants`, which all may see: only the platform's administrator comes here.
    op.execute("""
        CREATE TABLE auth.tenant_limits (
            id uuid PRIMARY KEY
                CONSTRAINT tenant_limits_tenant REFERENCES auth.tenants (id),
            requests_per_minute integer NOT NULL
                CONSTRAINT tenant_limits_requests_per_minute CHECK (requests_per_minute > 0),
            changed_at timestamptz NOT NULL
        )""")
    grant("auth", "tenant_limits", "SELECT, INSERT, UPDATE, DELETE")
