"""Users who are limited to some locations."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    # As many as an access token holds; null is all of them. Who manages all has to see all.
    op.execute("""
        ALTER TABLE auth.users
            ADD COLUMN locations uuid[]
                CONSTRAINT users_locations CHECK (cardinality(locations) BETWEEN 1 AND 50),
            ADD CONSTRAINT users_administrators_unlimited
                CHECK (role <> 'admin' OR locations IS NULL)""")
