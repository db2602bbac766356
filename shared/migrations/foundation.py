"""The tables that every service's schema starts with, as its first migration makes them.

Released migrations call these functions, so what they do never changes: a later change is a new
function and a new migration in each service.
"""

from alembic import op

TENANT = "NULLIF(current_setting('app.tenant', true), '')::uuid"


def tenant_table(schema: str, table: str, rights: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
    """Put a table under row-level security by tenant and give the service's role its rights.

    The owner has a policy of its own: it migrates and serves the journal across tenants.
    """
    op.execute(f"ALTER TABLE {schema}.{table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {schema}.{table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON {schema}.{table} TO {schema}_app "
        f"USING (tenant_id = (SELECT {TENANT}))"
    )
    op.execute(f"CREATE POLICY owner ON {schema}.{table} TO CURRENT_USER USING (true)")
    grant(schema, table, rights)


def grant(schema: str, table: str, rights: str) -> None:
    """Give the service's role these rights on a table, and no others."""
    op.execute(f"GRANT {rights} ON {schema}.{table} TO {schema}_app")


def create_foundation(schema: str) -> None:
    """Create journal, checkpoints, idempotency keys and follower cursors."""
    _create_journal(schema)
    _create_journal_doors(schema)
    _create_checkpoints(schema)
    _create_idempotency_keys(schema)
    _create_follower_cursors(schema)
    _create_partition_keeper(schema)


def _create_journal(schema: str) -> None:
    op.execute(f"CREATE SEQUENCE {schema}.journal_seq")
    op.execute(f"""
        CREATE TABLE {schema}.journal (
            seq bigint NOT NULL DEFAULT nextval('{schema}.journal_seq'),
            xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
            id uuid NOT NULL,
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            actor text NOT NULL,
            request_id text NOT NULL,
            type text NOT NULL,
            subject text NOT NULL,
            data json NOT NULL
        ) PARTITION BY RANGE (recorded_at)""")
    op.execute(f"CREATE TABLE {schema}.journal_rest PARTITION OF {schema}.journal DEFAULT")
    op.execute(f"CREATE INDEX journal_order ON {schema}.journal (xid, seq)")
    tenant_table(schema, "journal", "SELECT, INSERT")
    op.execute(f"GRANT USAGE, SELECT ON SEQUENCE {schema}.journal_seq TO {schema}_app")


def _create_journal_doors(schema: str) -> None:
    """Create the two narrow ways past row-level security: the feed, and what proves entries.

    Both read only entries whose transaction is older than every running one, so whoever goes on
    from the last (xid, seq) never misses a late commit.
    """
    safe = "xid < pg_snapshot_xmin(pg_current_snapshot())"
    op.execute(f"""
        CREATE FUNCTION {schema}.journal_feed(after_xid xid8, after_seq bigint, most int)
        RETURNS SETOF {schema}.journal LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = {schema}, pg_temp AS $$
            SELECT * FROM journal
            WHERE (xid, seq) > (after_xid, after_seq) AND {safe}
            ORDER BY xid, seq LIMIT most
        $$""")
    op.execute(f"""
        CREATE FUNCTION {schema}.journal_leaves(after_xid xid8, after_seq bigint, most int)
        RETURNS TABLE (xid xid8, seq bigint, id uuid, leaf bytea)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
            SELECT j.xid, j.seq, j.id, sha256(convert_to(concat_ws(E'\\x1f',
                j.seq, j.id, j.tenant_id,
                to_char(j.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
                j.actor, j.request_id, j.type, j.subject, j.data::text), 'UTF8'))
            FROM journal j
            WHERE (j.xid, j.seq) > (after_xid, after_seq) AND j.{safe}
            ORDER BY j.xid, j.seq LIMIT most
        $$""")
    for function in ("journal_feed", "journal_leaves"):
        narrow(schema, f"{function}(xid8, bigint, int)")


def _create_checkpoints(schema: str) -> None:
    op.execute(f"""
        CREATE TABLE {schema}.checkpoints (
            number bigint PRIMARY KEY,
            after_xid xid8 NOT NULL,
            after_seq bigint NOT NULL,
            upto_xid xid8 NOT NULL,
            upto_seq bigint NOT NULL,
            size int NOT NULL CHECK (size > 0),
            leaves bytea NOT NULL CHECK (octet_length(leaves) = size * 40),
            root bytea NOT NULL,
            previous bytea NOT NULL,
            signature bytea NOT NULL,
            sealed_at timestamptz NOT NULL
        )""")
    grant(schema, "checkpoints", "SELECT, INSERT")


def _create_idempotency_keys(schema: str) -> None:
    op.execute(f"""
        CREATE TABLE {schema}.idempotency_keys (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            actor text NOT NULL,
            key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
            fingerprint bytea NOT NULL,
            answer jsonb,
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            PRIMARY KEY (tenant_id, actor, key)
        )""")
    op.execute(
        f"CREATE INDEX idempotency_keys_age ON {schema}.idempotency_keys USING brin (created_at)"
    )
    tenant_table(schema, "idempotency_keys")
    op.execute(f"""
        CREATE FUNCTION {schema}.forget_idempotency_keys(before timestamptz)
        RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
            WITH gone AS (
                DELETE FROM idempotency_keys WHERE created_at < before RETURNING 1
            ) SELECT count(*) FROM gone
        $$""")
    narrow(schema, "forget_idempotency_keys(timestamptz)")


def _create_follower_cursors(schema: str) -> None:
    op.execute(f"""
        CREATE TABLE {schema}.follower_cursors (
            producer text PRIMARY KEY,
            xid bigint NOT NULL DEFAULT 0,
            seq bigint NOT NULL DEFAULT 0,
            recorded_at timestamptz,
            applied_at timestamptz
        )""")
    grant(schema, "follower_cursors", "SELECT, INSERT, UPDATE")


def _create_partition_keeper(schema: str) -> None:
    """Create the function by which a worker, which may not alter tables, adds coming months."""
    op.execute(f"""
        CREATE FUNCTION {schema}.keep_partitions(months int)
        RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
        DECLARE parent record; first date; name text;
        BEGIN
            FOR parent IN SELECT c.relname FROM pg_partitioned_table p
                JOIN pg_class c ON c.oid = p.partrelid
                WHERE c.relnamespace = '{schema}'::regnamespace
            LOOP
                FOR i IN 0..least(months, 24) LOOP
                    first := date_trunc('month', now() AT TIME ZONE 'UTC')::date
                        + make_interval(months => i);
                    name := parent.relname || to_char(first, '"_"YYYY_MM');
                    IF to_regclass(format('{schema}.%I', name)) IS NULL THEN
                        EXECUTE format(
                            'CREATE TABLE {schema}.%I PARTITION OF {schema}.%I '
                            'FOR VALUES FROM (%L) TO (%L)',
                            name, parent.relname, first::text || ' 00:00+00',
                            (first + interval '1 month')::date::text || ' 00:00+00');
                    END IF;
                END LOOP;
            END LOOP;
        END $$""")
    narrow(schema, "keep_partitions(int)")


def narrow(schema: str, signature: str) -> None:
    """Let only the service's role call a function that runs with the owner's rights."""
    op.execute(f"REVOKE ALL ON FUNCTION {schema}.{signature} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {schema}.{signature} TO {schema}_app")
