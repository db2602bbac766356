"""Passkeys, and the challenges that they sign."""

from alembic import op

from shared.migrations.foundation import TENANT, tenant_table

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute(f"""
        CREATE TABLE auth.passkeys (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            id uuid NOT NULL,
            user_id uuid NOT NULL,
            credential_id bytea NOT NULL CONSTRAINT passkeys_credential_id
                CHECK (octet_length(credential_id) BETWEEN 1 AND 1023),
            public_key bytea NOT NULL,
            sign_count bigint NOT NULL CONSTRAINT passkeys_sign_count CHECK (sign_count >= 0),
            transports text[] NOT NULL,
            name_sealed bytea NOT NULL,
            created_at timestamptz NOT NULL,
            last_used_at timestamptz,
            CONSTRAINT passkeys_pkey PRIMARY KEY (tenant_id, id),
            CONSTRAINT passkeys_credential UNIQUE (tenant_id, credential_id),
            CONSTRAINT passkeys_user
                FOREIGN KEY (tenant_id, user_id) REFERENCES auth.users (tenant_id, id)
        )""")
    op.execute("CREATE INDEX passkeys_of_user ON auth.passkeys (tenant_id, user_id)")
    tenant_table("auth", "passkeys")
    op.execute(f"""
        CREATE TABLE auth.passkey_challenges (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            challenge_index bytea NOT NULL CONSTRAINT passkey_challenges_index
                CHECK (octet_length(challenge_index) = 32),
            user_id uuid NOT NULL,
            purpose text NOT NULL CONSTRAINT passkey_challenges_purpose
                CHECK (purpose IN ('registration', 'proof')),
            bound_to uuid,
            expires_at timestamptz NOT NULL,
            CONSTRAINT passkey_challenges_pkey PRIMARY KEY (tenant_id, challenge_index),
            CONSTRAINT passkey_challenges_user
                FOREIGN KEY (tenant_id, user_id) REFERENCES auth.users (tenant_id, id)
        )""")
    op.execute(
        "CREATE INDEX passkey_challenges_of_user ON auth.passkey_challenges (tenant_id, user_id)"
    )
    tenant_table("auth", "passkey_challenges")
