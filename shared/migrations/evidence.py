"""What keeps a service's records provable and its locks its own, beside the foundation.

Released migrations call these functions, so what they do never changes.
"""

from alembic import op

from shared.migrations.foundation import grant, narrow


def create_locks(schema: str) -> None:
    """Create the service's own locks: nobody else can take them, whatever name he finds.

    Advisory locks are of the whole database, so the bootstrap takes them from everybody but the
    owner; these functions lend those whose first eight bits are the schema's.
    """
    for name, function, result in (
        ("wait_lock", "pg_advisory_xact_lock", "void"),
        ("wait_lock_shared", "pg_advisory_xact_lock_shared", "void"),
        ("try_lock", "pg_try_advisory_xact_lock", "boolean"),
    ):
        op.execute(f"""
            CREATE FUNCTION {schema}.{name}(name text) RETURNS {result}
            LANGUAGE sql SECURITY DEFINER
            RETURN {function}(
                ((hashtext('{schema}') & 255)::bigint << 56)
                | (hashtextextended(name, 0) & {2**56 - 1})
            )""")
        narrow(schema, f"{name}(text)")


def create_verifier(schema: str, *tables: str) -> None:
    """Let the role that verifies read these tables, of all tenants, and nothing else."""
    for table in tables:
        op.execute(
            f"CREATE POLICY verifier ON {schema}.{table} FOR SELECT TO {schema}_verifier "
            "USING (true)"
        )
        op.execute(f"GRANT SELECT ON {schema}.{table} TO {schema}_verifier")


def create_tree(schema: str) -> None:
    """Create what checkpoints of one tree over all entries need, and the record of verifications.

    A checkpoint of version 1 covers its own entries alone; its tree_size and peaks are null.
    """
    op.execute(
        f"ALTER TABLE {schema}.checkpoints ADD COLUMN version smallint NOT NULL DEFAULT 1, "
        "ADD COLUMN tree_size bigint, ADD COLUMN peaks bytea"
    )
    op.execute(
        f"ALTER TABLE {schema}.checkpoints ADD CONSTRAINT checkpoints_tree CHECK "
        "((version = 1) = (tree_size IS NULL) AND (version = 1) = (peaks IS NULL)) NOT VALID"
    )
    op.execute(f"GRANT SELECT ON {schema}.checkpoints TO {schema}_verifier")
    op.execute(f"""
        CREATE TABLE {schema}.verifications (
            verified_at timestamptz NOT NULL,
            number bigint NOT NULL,
            is_full boolean NOT NULL,
            note text NOT NULL,
            difference json,
            signature bytea NOT NULL,
            CONSTRAINT verifications_pkey PRIMARY KEY (number, verified_at)
        )""")
    grant(schema, "verifications", "SELECT, INSERT")


def create_calendar(schema: str) -> None:
    """Create, after the locks, the functions by which a worker adds and counts coming months.

    A month that has rows in the default partition already stays there: they remain readable, and
    the months after it are added all the same.
    """
    _add_months(schema)
    _count_months(schema)
    # What workers of before call.
    op.execute(f"""
        CREATE OR REPLACE FUNCTION {schema}.keep_partitions(months int)
        RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
            SELECT add_months((now() AT TIME ZONE 'UTC')::date, months)
        $$""")
    narrow(schema, "add_months(date, int)")
    narrow(schema, "months_of(date)")


def _add_months(schema: str) -> None:
    op.execute(f"""
        CREATE FUNCTION {schema}.add_months(since date, months int)
        RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
        DECLARE parent record; first date; name text; added int := 0;
        BEGIN
            PERFORM wait_lock('months');
            FOR parent IN SELECT c.relname FROM pg_partitioned_table p
                JOIN pg_class c ON c.oid = p.partrelid
                WHERE c.relnamespace = '{schema}'::regnamespace ORDER BY c.relname
            LOOP
                FOR i IN 0..least(months, 24) LOOP
                    first := date_trunc('month', since)::date + make_interval(months => i);
                    name := parent.relname || to_char(first, '"_"YYYY_MM');
                    CONTINUE WHEN to_regclass(format('{schema}.%I', name)) IS NOT NULL;
                    BEGIN
                        EXECUTE format(
                            'CREATE TABLE {schema}.%I PARTITION OF {schema}.%I '
                            'FOR VALUES FROM (%L) TO (%L)',
                            name, parent.relname, first::text || ' 00:00+00',
                            (first + interval '1 month')::date::text || ' 00:00+00');
                        added := added + 1;
                    EXCEPTION WHEN check_violation THEN
                        NULL;
                    END;
                END LOOP;
            END LOOP;
            RETURN added;
        END $$""")


def _count_months(schema: str) -> None:
    op.execute(f"""
        CREATE FUNCTION {schema}.months_of(today date)
        RETURNS TABLE (parent text, ahead int, in_default boolean)
        LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
        BEGIN
            FOR parent IN SELECT c.relname FROM pg_partitioned_table p
                JOIN pg_class c ON c.oid = p.partrelid
                WHERE c.relnamespace = '{schema}'::regnamespace ORDER BY c.relname
            LOOP
                ahead := -1;
                WHILE ahead < 24 AND to_regclass(format('{schema}.%I', parent || to_char(
                    date_trunc('month', today) + make_interval(months => ahead + 1),
                    '"_"YYYY_MM'))) IS NOT NULL
                LOOP
                    ahead := ahead + 1;
                END LOOP;
                EXECUTE format('SELECT EXISTS (SELECT FROM {schema}.%I)', parent || '_rest')
                    INTO in_default;
                RETURN NEXT;
            END LOOP;
        END $$""")
