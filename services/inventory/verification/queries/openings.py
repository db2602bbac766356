"""Proving openings by the journal, which keeps what left the ledger."""

from sqlalchemy import text

from services.inventory.openings.rules import BEGINNING

# Every opening is as it was journaled, with balances that are all there; and none is missing.
_OPENING = text("""
    SELECT 'opening' AS kind, NULL::uuid AS item_id, NULL::uuid AS location_id,
           NULL::uuid AS lot_id, NULL::uuid AS movement_id, j.movements::numeric AS expected,
           o.told::numeric AS found, (month::timestamp AT TIME ZONE 'UTC') AS occurred_at
    FROM (
        SELECT d.* FROM journal CROSS JOIN LATERAL json_to_record(data) AS d(
            month date, movements bigint, levels bigint, since timestamptz, digest text)
        WHERE type = 'inventory.opening-recorded.v1' AND seq <> ALL(CAST(:without AS bigint[]))
    ) j FULL JOIN (
        SELECT month, o.movements, o.since, count(b.month) AS levels,
               sum(b.movements)::bigint AS told,
               encode(sha256(convert_to(string_agg(opening_line(
                   item_id, location_id, lot_id, quantity, b.movements, first_at, last_at,
                   counted_at), '' ORDER BY item_id, location_id, lot_id), 'UTF8')), 'hex')
                   AS digest
        FROM openings o LEFT JOIN opening_balances b USING (month) GROUP BY 1, 2, 3
    ) o USING (month)
    WHERE (j.movements, j.movements, j.levels, j.since, j.digest)
        IS DISTINCT FROM (o.movements, o.told, o.levels, o.since, o.digest)
    LIMIT :most""")
# Every opening balance is what the journal says that moved there in its month.
_BALANCE = text(f"""
    SELECT 'opening_balance' AS kind, item_id, location_id, lot_id, NULL::uuid AS movement_id,
           j.quantity AS expected, b.quantity AS found,
           (month::timestamp AT TIME ZONE 'UTC') AS occurred_at
    FROM (
        SELECT date_trunc('month', recorded_at AT TIME ZONE 'UTC')::date AS month, d.item_id,
               d.location_id, coalesce(d.lot_id, lpad('', 32, '0')::uuid) AS lot_id,
               sum(d.quantity) AS quantity, count(*) AS movements, min(d.occurred_at) AS first_at,
               max(d.occurred_at) AS last_at
        FROM journal CROSS JOIN LATERAL json_to_record(data) AS d(
            item_id uuid, location_id uuid, lot_id uuid, quantity numeric,
            occurred_at timestamptz)
        WHERE type = 'inventory.stock-moved.v1' AND seq <> ALL(CAST(:without AS bigint[]))
            AND recorded_at < ({BEGINNING})
        GROUP BY 1, 2, 3, 4
    ) j FULL JOIN opening_balances b USING (month, item_id, location_id, lot_id)
    WHERE (j.quantity, j.movements, j.first_at, j.last_at)
        IS DISTINCT FROM (b.quantity, b.movements, b.first_at, b.last_at)
    LIMIT :most""")  # noqa: S608 - our own text.
OPENINGS = (_OPENING, _BALANCE)
