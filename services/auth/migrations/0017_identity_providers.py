"""Tenants' own identity providers (OpenID Connect)."""

from alembic import op

from shared.migrations.foundation import TENANT, tenant_table

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute(f"""
        CREATE TABLE auth.identity_providers (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            issuer text NOT NULL CONSTRAINT identity_providers_issuer
                CHECK (issuer ~ '^https?://' AND length(issuer) <= 500),
            client_id text NOT NULL CONSTRAINT identity_providers_client
                CHECK (length(client_id) BETWEEN 1 AND 200),
            client_secret_sealed bytea NOT NULL,
            redirect_uri text NOT NULL CONSTRAINT identity_providers_redirect
                CHECK (redirect_uri ~ '^https?://' AND length(redirect_uri) <= 500),
            vouches_for_factor boolean NOT NULL,
            revision int NOT NULL CONSTRAINT identity_providers_revision CHECK (revision > 0),
            changed_at timestamptz NOT NULL,
            CONSTRAINT identity_providers_pkey PRIMARY KEY (tenant_id),
            CONSTRAINT identity_providers_tenant
                FOREIGN KEY (tenant_id) REFERENCES auth.tenants (id)
        )""")
    tenant_table("auth", "identity_providers")
    op.execute(f"""
        CREATE TABLE auth.identity_links (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            subject_index bytea NOT NULL CONSTRAINT identity_links_subject
                CHECK (octet_length(subject_index) = 32),
            user_id uuid NOT NULL,
            linked_at timestamptz NOT NULL,
            CONSTRAINT identity_links_pkey PRIMARY KEY (tenant_id, subject_index),
            CONSTRAINT identity_links_one_of_user UNIQUE (tenant_id, user_id),
            CONSTRAINT identity_links_user
                FOREIGN KEY (tenant_id, user_id) REFERENCES auth.users (tenant_id, id)
        )""")
    tenant_table("auth", "identity_links", "SELECT, INSERT, DELETE")
    op.execute(f"""
        CREATE TABLE auth.provided_sign_ins (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            id uuid NOT NULL,
            state_index bytea NOT NULL CONSTRAINT provided_sign_ins_state
                CHECK (octet_length(state_index) = 32),
            binding_index bytea NOT NULL CONSTRAINT provided_sign_ins_binding
                CHECK (octet_length(binding_index) = 32),
            begun_sealed bytea NOT NULL,
            user_id uuid,
            methods text[] NOT NULL,
            expires_at timestamptz NOT NULL,
            CONSTRAINT provided_sign_ins_pkey PRIMARY KEY (tenant_id, id),
            CONSTRAINT provided_sign_ins_user
                FOREIGN KEY (tenant_id, user_id) REFERENCES auth.users (tenant_id, id)
        )""")
    op.execute(
        "CREATE INDEX provided_sign_ins_expiry ON auth.provided_sign_ins (tenant_id, expires_at)"
    )
    op.execute(
        "CREATE INDEX provided_sign_ins_of_user ON auth.provided_sign_ins (tenant_id, user_id)"
    )
    tenant_table("auth", "provided_sign_ins", "SELECT, INSERT, DELETE, UPDATE")
