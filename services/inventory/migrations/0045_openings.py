"""Months of the ledger that are older than policy leave it, and openings say what they came to."""

from alembic import op

from shared.migrations.foundation import TENANT, grant, narrow, tenant_table

revision = "0045"
down_revision = "0044"

_LINE = """opening_line(item_id, location_id, lot_id, quantity, movements, first_at, last_at,
                              counted_at)"""
_DIGEST = f"""encode(sha256(convert_to(
                string_agg({_LINE}, '' ORDER BY item_id, location_id, lot_id), 'UTF8')), 'hex')"""


def upgrade() -> None:
    _create_openings()
    _create_archives()
    _create_sums()
    _create_needs()
    _create_writing()
    _create_detaching()
    _create_dropping()


def _create_openings() -> None:
    """Create what a month of the ledger that left it came to, as a whole and at each level.

    `since` is the instant from which the ledger can be asked: nothing of the month happened later.
    The service's role only reads both; they are written where a month is detached.
    """
    op.execute(f"""
        CREATE TABLE inventory.openings (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            month date NOT NULL,
            movements bigint NOT NULL,
            since timestamptz NOT NULL,
            CONSTRAINT openings_pkey PRIMARY KEY (tenant_id, month),
            CONSTRAINT openings_month CHECK (month = date_trunc('month', month)),
            CONSTRAINT openings_movements CHECK (movements > 0)
        )""")
    tenant_table("inventory", "openings", "SELECT")
    op.execute(f"""
        CREATE TABLE inventory.opening_balances (
            tenant_id uuid NOT NULL DEFAULT {TENANT},
            month date NOT NULL,
            item_id uuid NOT NULL,
            location_id uuid NOT NULL,
            lot_id uuid NOT NULL,
            quantity numeric(18, 4) NOT NULL,
            movements bigint NOT NULL,
            first_at timestamptz NOT NULL,
            last_at timestamptz NOT NULL,
            counted_at timestamptz,
            CONSTRAINT opening_balances_pkey
                PRIMARY KEY (tenant_id, item_id, location_id, lot_id, month),
            CONSTRAINT opening_balances_month FOREIGN KEY (tenant_id, month)
                REFERENCES inventory.openings (tenant_id, month)
        )""")
    op.execute("CREATE INDEX opening_balances_of ON inventory.opening_balances (tenant_id, month)")
    tenant_table("inventory", "opening_balances", "SELECT")


def _create_archives() -> None:
    """Create the record of the months that left, each with all tenants that moved anything."""
    op.execute("""
        CREATE TABLE inventory.ledger_archives (
            month date NOT NULL,
            movements bigint NOT NULL,
            tenants uuid[] NOT NULL,
            first_at timestamptz NOT NULL,
            detached_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            dropped_at timestamptz,
            CONSTRAINT ledger_archives_pkey PRIMARY KEY (month)
        )""")
    grant("inventory", "ledger_archives", "SELECT")


def _create_sums() -> None:
    """Create what sums a month before it is detached, and the line that is digested of a level."""
    op.execute("""
        CREATE FUNCTION inventory.opening_line(
            item_id uuid, location_id uuid, lot_id uuid, quantity numeric, movements bigint,
            first_at timestamptz, last_at timestamptz, counted_at timestamptz)
        RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN concat_ws(
            ' ', item_id, location_id, lot_id, trim_scale(quantity), movements,
            trunc(extract(epoch FROM first_at) * 1000000),
            trunc(extract(epoch FROM last_at) * 1000000),
            coalesce(trunc(extract(epoch FROM counted_at) * 1000000)::text, '-')) || E'\\n'""")
    op.execute("""
        CREATE FUNCTION inventory.ledger_levels(wanted date)
        RETURNS TABLE (tenant_id uuid, item_id uuid, location_id uuid, lot_id uuid,
                       quantity numeric, movements bigint, first_at timestamptz,
                       last_at timestamptz, counted_at timestamptz)
        LANGUAGE plpgsql STABLE SET search_path = inventory, pg_temp AS $$
        BEGIN
            RETURN QUERY EXECUTE format(
                'SELECT m.tenant_id, m.item_id, m.location_id, m.lot_id, sum(m.quantity), '
                'count(*), min(m.occurred_at), max(m.occurred_at), '
                'max(m.occurred_at) FILTER (WHERE m.kind = ''count_correction'' '
                'AND r.movement_id IS NULL) FROM %I m LEFT JOIN reversals r '
                'ON r.tenant_id = m.tenant_id AND r.movement_id = m.id GROUP BY 1, 2, 3, 4',
                to_char(wanted, '"movements_"YYYY_MM'));
        END $$""")
    op.execute("REVOKE ALL ON FUNCTION inventory.ledger_levels(date) FROM PUBLIC")
    op.execute(f"""
        CREATE FUNCTION inventory.sum_ledger_month(wanted date)
        RETURNS TABLE (tenant_id uuid, movements bigint, levels bigint, first_at timestamptz,
                       since timestamptz, digest text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = inventory, pg_temp AS $$
            SELECT tenant_id, sum(movements)::bigint, count(*), min(first_at),
                   greatest(max(last_at), (wanted + interval '1 month') AT TIME ZONE 'UTC'),
                   {_DIGEST}
            FROM ledger_levels(wanted) GROUP BY tenant_id ORDER BY tenant_id
        $$""")
    narrow("inventory", "sum_ledger_month(date)")


def _create_needs() -> None:
    """Create what says why a month is still needed: what is under way reads its rows.

    What lay where a count that is open was taken is told by what moved since; and a transfer
    arrives as it was dispatched.
    """
    op.execute("""
        CREATE FUNCTION inventory.why_ledger_stays(wanted date)
        RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER
        SET search_path = inventory, pg_temp AS $$
        DECLARE part text := to_char(wanted, '"movements_"YYYY_MM'); found boolean;
                until timestamptz := (wanted + interval '1 month') AT TIME ZONE 'UTC';
        BEGIN
            IF EXISTS (SELECT FROM movements_rest WHERE recorded_at < until) THEN
                RETURN 'rows of it, or from before it, lie in the default partition';
            END IF;
            EXECUTE format('SELECT EXISTS (SELECT FROM transfers t WHERE t.received IS NULL AND '
                'EXISTS (SELECT FROM %I m WHERE m.tenant_id = t.tenant_id AND m.id = t.id))', part)
                INTO found;
            IF found THEN
                RETURN 'a transfer that was dispatched in it is in transit';
            END IF;
            EXECUTE format('SELECT EXISTS (SELECT FROM counts c WHERE c.state = ''open'' '
                'AND EXISTS (SELECT FROM %I m WHERE m.tenant_id = c.tenant_id) '
                'AND (c.opened_at < $1 OR EXISTS (SELECT FROM count_lines l '
                'WHERE l.tenant_id = c.tenant_id AND l.count_id = c.id AND l.counted_at < $1)))',
                part) INTO found USING until + interval '10 minutes';
            IF found THEN
                RETURN 'a count that was begun by then is open';
            END IF;
            RETURN NULL;
        END $$""")
    narrow("inventory", "why_ledger_stays(date)")


def _create_writing() -> None:
    """Create what writes the openings of a month; nobody but the owner calls it.

    What each tenant's rows come to must have been journaled in the same transaction, so that the
    openings are signed.
    """
    op.execute(f"""
        CREATE FUNCTION inventory.write_openings(wanted date)
        RETURNS void LANGUAGE plpgsql SET search_path = inventory, pg_temp AS $$
        DECLARE who uuid;
        BEGIN
            INSERT INTO openings (tenant_id, month, movements, since)
                SELECT tenant_id, wanted, movements, since FROM sum_ledger_month(wanted);
            INSERT INTO opening_balances (tenant_id, month, item_id, location_id, lot_id, quantity,
                    movements, first_at, last_at, counted_at)
                SELECT tenant_id, wanted, item_id, location_id, lot_id, quantity, movements,
                    first_at, last_at, counted_at FROM ledger_levels(wanted);
            SELECT o.tenant_id INTO who FROM openings o
            JOIN (
                SELECT tenant_id, count(*) AS levels, {_DIGEST} AS digest FROM opening_balances
                WHERE month = wanted GROUP BY tenant_id
            ) b ON b.tenant_id = o.tenant_id
            WHERE o.month = wanted AND NOT EXISTS (
                SELECT FROM journal j WHERE j.tenant_id = o.tenant_id
                    AND j.xid = (pg_current_xact_id()::text::bigint + journal_base())::text::xid8
                    AND j.type = 'inventory.opening-recorded.v1'
                    AND (j.data ->> 'month')::date = wanted AND j.data ->> 'digest' = b.digest
                    AND (j.data ->> 'movements')::bigint = o.movements
                    AND (j.data ->> 'since')::timestamptz = o.since)
            LIMIT 1;
            IF who IS NOT NULL THEN
                RAISE EXCEPTION 'what % comes to is not journaled for tenant %', wanted, who;
            END IF;
        END $$""")
    op.execute("REVOKE ALL ON FUNCTION inventory.write_openings(date) FROM PUBLIC")


def _create_detaching() -> None:
    """Create the one way in which rows leave the ledger: whole months, by the database's clock.

    Sums of snapshots that hold such rows go with them.
    """
    op.execute("""
        CREATE FUNCTION inventory.detach_ledger_month(wanted date)
        RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = inventory, pg_temp AS $$
        DECLARE part text := to_char(wanted, '"movements_"YYYY_MM'); earlier text; is_there boolean;
                why text; who uuid;
        BEGIN
            IF wanted <> date_trunc('month', wanted)
                OR wanted + interval '13 months' > now() AT TIME ZONE 'UTC' THEN
                RAISE EXCEPTION '% ended less than a year ago', part;
            END IF;
            EXECUTE format('LOCK TABLE %I IN SHARE MODE', part);
            why := why_ledger_stays(wanted);
            IF why IS NOT NULL THEN
                RAISE EXCEPTION '% stays: %', part, why;
            END IF;
            FOR earlier IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                WHERE i.inhparent = 'movements'::regclass AND c.relname ~ '_[0-9]{4}_[0-9]{2}$'
                  AND c.relname < part
            LOOP
                EXECUTE format('SELECT EXISTS (SELECT FROM %I)', earlier) INTO is_there;
                IF is_there THEN
                    RAISE EXCEPTION '% is still there', earlier;
                END IF;
            END LOOP;
            PERFORM write_openings(wanted);
            INSERT INTO ledger_archives (month, movements, tenants, first_at)
                SELECT wanted, sum(movements), array_agg(tenant_id), min(first_at)
                FROM sum_ledger_month(wanted) HAVING count(*) > 0;
            IF NOT FOUND THEN
                RAISE EXCEPTION '% is empty', part;
            END IF;
            FOR who IN SELECT tenant_id FROM openings WHERE month = wanted ORDER BY tenant_id LOOP
                PERFORM wait_lock('snapshots ' || who);
                DELETE FROM snapshots WHERE tenant_id = who;
                DELETE FROM snapshot_sums WHERE tenant_id = who;
            END LOOP;
            EXECUTE format('ALTER TABLE inventory.movements DETACH PARTITION inventory.%I', part);
        END $$""")
    narrow("inventory", "detach_ledger_month(date)")


def _create_dropping() -> None:
    op.execute("""
        CREATE FUNCTION inventory.drop_ledger_month(wanted date)
        RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = inventory, pg_temp AS $$
        DECLARE part text := to_char(wanted, '"movements_"YYYY_MM'); told bigint; found bigint;
        BEGIN
            SELECT movements INTO told FROM ledger_archives
                WHERE month = wanted AND dropped_at IS NULL
                  AND detached_at < now() - interval '7 days' FOR UPDATE;
            IF told IS NULL THEN
                RAISE EXCEPTION '% is not detached since a week', part;
            END IF;
            EXECUTE format('SELECT count(*) FROM inventory.%I', part) INTO found;
            IF found <> told THEN
                RAISE EXCEPTION '% has % rows, its opening %', part, found, told;
            END IF;
            EXECUTE format('DROP TABLE inventory.%I', part);
            UPDATE ledger_archives SET dropped_at = clock_timestamp() WHERE month = wanted;
        END $$""")
    narrow("inventory", "drop_ledger_month(date)")
