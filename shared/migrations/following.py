"""What a schema needs to follow other services' journals, beside the foundation's cursors.

Released migrations call these functions, so what they do never changes.
"""

from alembic import op

from shared.migrations.foundation import TENANT, grant, narrow, tenant_table


def create_set_aside(schema: str) -> None:
    """Create where entries wait that could not be applied, and what operators may see of them.

    Each row is a tenant's; the functions see all tenants, and none of them what an entry says.
    """
    op.execute(f"""
        CREATE TABLE {schema}.entries_set_aside (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            producer text NOT NULL,
            xid bigint NOT NULL,
            seq bigint NOT NULL,
            type text NOT NULL,
            subject text NOT NULL,
            entry json NOT NULL,
            error text,
            reason text,
            attempts int NOT NULL,
            first_at timestamptz NOT NULL,
            last_at timestamptz NOT NULL,
            CONSTRAINT entries_set_aside_pkey PRIMARY KEY (tenant_id, producer, xid, seq),
            CONSTRAINT entries_set_aside_reason CHECK ((error IS NULL) = (reason IS NULL)),
            CONSTRAINT entries_set_aside_attempts CHECK ((error IS NULL) = (attempts = 0))
        )""")
    op.execute(
        f"CREATE INDEX entries_set_aside_subject ON {schema}.entries_set_aside "
        "(tenant_id, producer, subject, xid, seq)"
    )
    tenant_table(schema, "entries_set_aside")
    op.execute(f"""
        CREATE FUNCTION {schema}.count_set_aside()
        RETURNS TABLE (producer text, tenant_id uuid, entries bigint)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
            SELECT producer, tenant_id, count(*) FROM entries_set_aside GROUP BY 1, 2
        $$""")
    op.execute(f"""
        CREATE FUNCTION {schema}.list_set_aside(most int)
        RETURNS TABLE (producer text, seq bigint, tenant_id uuid, type text, error text,
                       reason text, attempts int, first_at timestamptz, last_at timestamptz)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
            SELECT producer, seq, tenant_id, type, error, reason, attempts, first_at, last_at
            FROM entries_set_aside WHERE error IS NOT NULL ORDER BY first_at, xid, seq LIMIT most
        $$""")
    op.execute(f"""
        CREATE FUNCTION {schema}.forget_set_aside(of_producer text)
        RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
            DELETE FROM entries_set_aside WHERE producer = of_producer
        $$""")
    for signature in ("count_set_aside()", "list_set_aside(int)", "forget_set_aside(text)"):
        narrow(schema, signature)


def create_rebuilds(schema: str) -> None:
    """Create where it stands how far a journal must be read again until a rebuild is done."""
    op.execute(f"""
        CREATE TABLE {schema}.rebuilds (
            producer text NOT NULL,
            xid bigint NOT NULL,
            seq bigint NOT NULL,
            CONSTRAINT rebuilds_pkey PRIMARY KEY (producer)
        )""")
    grant(schema, "rebuilds", "SELECT, INSERT, UPDATE")


def note_reading(schema: str) -> None:
    """Let each cursor know when its follower last read, and got on with what it found.

    Whether one stands still is asked of its database: it may be the follower that is gone.
    """
    op.execute(f"ALTER TABLE {schema}.follower_cursors ADD COLUMN read_at timestamptz")
