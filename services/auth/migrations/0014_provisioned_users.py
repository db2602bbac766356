"""What a directory says of accounts (SCIM)."""

from alembic import op

from shared.migrations.foundation import TENANT, tenant_table

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute(f"""
        CREATE TABLE auth.provisioned_users (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            user_id uuid NOT NULL,
            user_name_index bytea NOT NULL CONSTRAINT provisioned_users_user_name
                CHECK (octet_length(user_name_index) = 32),
            external_id_index bytea CONSTRAINT provisioned_users_external_id
                CHECK (octet_length(external_id_index) = 32),
            profile_sealed bytea NOT NULL,
            removed_at timestamptz,
            changed_at timestamptz NOT NULL,
            CONSTRAINT provisioned_users_pkey PRIMARY KEY (tenant_id, user_id),
            CONSTRAINT provisioned_users_one_name UNIQUE (tenant_id, user_name_index),
            CONSTRAINT provisioned_users_user
                FOREIGN KEY (tenant_id, user_id) REFERENCES auth.users (tenant_id, id)
        )""")
    op.execute("""
        CREATE INDEX provisioned_users_by_external_id
        ON auth.provisioned_users (tenant_id, external_id_index)
        WHERE external_id_index IS NOT NULL""")
    tenant_table("auth", "provisioned_users", "SELECT, INSERT, UPDATE")
