"""What a journal adds to the server's transaction ids, so that it can move to another server.

Released migrations call this function, so what it does never changes.
"""

from alembic import op

from shared.migrations.foundation import narrow


def create_journal_base(schema: str) -> None:
    """Create `journal_base()`, 0 until a cut-over or a logical restore raises it (ADR 0004).

    Entries are numbered, and shown, by the server's transaction id plus the base: a server whose
    counter stands lower than that of the one the entries came from hides none of them. The base
    is a constant that the planner folds, and so is as fast as none.
    """
    op.execute(f"""
        CREATE FUNCTION {schema}.journal_base() RETURNS bigint
        LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 0::bigint""")
    op.execute(f"""
        ALTER TABLE {schema}.journal ALTER COLUMN xid
        SET DEFAULT (pg_current_xact_id()::text::bigint + {schema}.journal_base())::text::xid8""")
    op.execute(f"""
        CREATE OR REPLACE FUNCTION {schema}.journal_feed(after_xid xid8, after_seq bigint, most int)
        RETURNS SETOF {schema}.journal LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = {schema}, pg_temp AS $$
            SELECT * FROM journal
            WHERE (xid, seq) > (after_xid, after_seq)
              AND xid < (pg_snapshot_xmin(pg_current_snapshot())::text::bigint
                         + {schema}.journal_base())::text::xid8
            ORDER BY xid, seq LIMIT most
        $$""")
    narrow(schema, "journal_feed(xid8, bigint, int)")
