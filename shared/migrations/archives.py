"""What a journal needs whose old months go into archives.

Released migrations call these functions, so what they do never changes.
"""

from alembic import op

from shared.migrations.foundation import grant, narrow


def create_archives(schema: str) -> None:
    """Create the record of archives and of who reads the feed, and the two ways a month leaves.

    The service's role notes an archive and cannot change or remove the note. A month leaves by
    functions of the owner's, which ask the database's own clock: never one that ended less than a
    year ago, nor one of which another number of rows is there than its archive holds; and a table
    is dropped a week after it was detached at the earliest.
    """
    op.execute(f"""
        CREATE TABLE {schema}.journal_archives (
            month date NOT NULL,
            manifest text NOT NULL,
            entries bigint NOT NULL,
            last_xid bigint NOT NULL,
            last_seq bigint NOT NULL,
            archived_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            detached_at timestamptz,
            dropped_at timestamptz,
            CONSTRAINT journal_archives_pkey PRIMARY KEY (month),
            CONSTRAINT journal_archives_month CHECK (month = date_trunc('month', month)),
            CONSTRAINT journal_archives_entries CHECK (entries > 0),
            CONSTRAINT journal_archives_order CHECK (
                dropped_at IS NULL OR detached_at IS NOT NULL)
        )""")
    op.execute(f"GRANT SELECT ON {schema}.journal_archives TO {schema}_app, {schema}_verifier")
    op.execute(
        f"GRANT INSERT (month, manifest, entries, last_xid, last_seq) "
        f"ON {schema}.journal_archives TO {schema}_app"
    )
    op.execute(f"""
        CREATE TABLE {schema}.feed_readers (
            reader text NOT NULL,
            xid bigint NOT NULL,
            seq bigint NOT NULL,
            read_at timestamptz NOT NULL,
            CONSTRAINT feed_readers_pkey PRIMARY KEY (reader)
        )""")
    grant(schema, "feed_readers", "SELECT, INSERT, UPDATE")
    op.execute(f"""
        CREATE TABLE {schema}.retention_runs (
            number bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
            ran_at timestamptz NOT NULL,
            leapt boolean NOT NULL,
            failed boolean NOT NULL,
            report json NOT NULL,
            CONSTRAINT retention_runs_pkey PRIMARY KEY (number)
        )""")
    grant(schema, "retention_runs", "SELECT, INSERT")
    _create_detaching(schema)
    _create_dropping(schema)


def _create_detaching(schema: str) -> None:
    op.execute(f"""
        CREATE FUNCTION {schema}.detach_journal_month(wanted date)
        RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
        DECLARE part text := to_char(wanted, '"journal_"YYYY_MM'); told bigint; found bigint;
        BEGIN
            IF wanted + interval '13 months' > now() AT TIME ZONE 'UTC' THEN
                RAISE EXCEPTION '% ended less than a year ago', part;
            END IF;
            SELECT entries INTO told FROM journal_archives
                WHERE month = wanted AND detached_at IS NULL FOR UPDATE;
            IF told IS NULL THEN
                RAISE EXCEPTION '% has no archive, or is detached already', part;
            END IF;
            EXECUTE format('ALTER TABLE {schema}.journal DETACH PARTITION {schema}.%I', part);
            EXECUTE format('SELECT count(*) FROM {schema}.%I', part) INTO found;
            IF found <> told THEN
                RAISE EXCEPTION '% has % rows, its archive %', part, found, told;
            END IF;
            EXECUTE format('GRANT SELECT ON {schema}.%I TO {schema}_verifier', part);
            UPDATE journal_archives SET detached_at = clock_timestamp() WHERE month = wanted;
        END $$""")
    narrow(schema, "detach_journal_month(date)")


def _create_dropping(schema: str) -> None:
    op.execute(f"""
        CREATE FUNCTION {schema}.drop_journal_month(wanted date)
        RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
        DECLARE part text := to_char(wanted, '"journal_"YYYY_MM'); told bigint; found bigint;
        BEGIN
            SELECT entries INTO told FROM journal_archives
                WHERE month = wanted AND dropped_at IS NULL
                  AND detached_at < now() - interval '7 days' FOR UPDATE;
            IF told IS NULL THEN
                RAISE EXCEPTION '% is not detached since a week', part;
            END IF;
            EXECUTE format('SELECT count(*) FROM {schema}.%I', part) INTO found;
            IF found <> told THEN
                RAISE EXCEPTION '% has % rows, its archive %', part, found, told;
            END IF;
            EXECUTE format('DROP TABLE {schema}.%I', part);
            UPDATE journal_archives SET dropped_at = clock_timestamp() WHERE month = wanted;
        END $$""")
    narrow(schema, "drop_journal_month(date)")
