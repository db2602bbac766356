from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from services.inventory.openings.rules import BEGINNING, SINCE
from services.inventory.snapshots.rules import TOGETHER
from services.inventory.verification.queries.openings import OPENINGS

DIFFERENCES_MAX = 100
ENTRIES_READ = 5_000  # At once.
_BAD_DATA = "22"  # The class of SQLSTATE.


async def count_checked(session: AsyncSession) -> RowMapping:
    return (await session.execute(_COUNTS)).mappings().one()


async def list_differences(
    session: AsyncSession, *, without: Sequence[int] = ()
) -> Sequence[RowMapping]:
    """Compare stock with the ledger, the ledger with itself in both orders and with the journal.

    `without` are the numbers of journal entries that cannot be read. Raises DBAPIError for others.
    """
    found: list[RowMapping] = []
    for check in _OF_STOCK:
        rows = await session.execute(check, {"most": DIFFERENCES_MAX - len(found)})
        found.extend(rows.mappings())
    for check in (_ENTRIES, *OPENINGS, _PRICES, _IN_FORCE, _COUNT_ENTRIES):
        parameters = {"most": DIFFERENCES_MAX - len(found), "without": list(without)}
        found.extend((await session.execute(check, parameters)).mappings())
    return found


async def list_differences_if_readable(session: AsyncSession) -> Sequence[RowMapping] | None:
    """Return the differences; None where some entry holds a value that is none of its type."""
    try:
        async with session.begin_nested():
            return await list_differences(session)
    except DBAPIError as error:
        if not getattr(error.orig, "sqlstate", "").startswith(_BAD_DATA):
            raise
        return None


async def list_tenants(connection: AsyncConnection) -> Sequence[UUID]:
    return (await connection.scalars(_TENANTS)).all()


async def list_stock(session: AsyncSession) -> Sequence[RowMapping]:
    """Return what lies of each item at each location, where anything does."""
    return (await session.execute(_STOCK)).mappings().all()


async def list_entries(session: AsyncSession, *, after_seq: int) -> Sequence[tuple[int, str, str]]:
    """Return the next entries that rows are compared with, as they stand: number, type, text."""
    rows = await session.execute(_READ, {"after_seq": after_seq, "most": ENTRIES_READ})
    return [(row.seq, row.type, row.data) for row in rows]


_TENANTS = text("SELECT DISTINCT tenant_id FROM inventory.journal ORDER BY 1")
_READ = text("""
    SELECT seq, type, data::text AS data FROM journal
    WHERE type IN ('inventory.stock-moved.v1', 'inventory.price-set.v1',
                   'inventory.count-entered.v1', 'inventory.opening-recorded.v1')
        AND seq > :after_seq
    ORDER BY seq LIMIT :most""")


_COUNTS = text("""
    SELECT (SELECT count(*) FROM levels) AS levels, (SELECT count(*) FROM movements) AS movements,
           (SELECT count(*) FROM journal WHERE type = 'inventory.stock-moved.v1') AS entries,
           (SELECT coalesce(sum(movements), 0)::bigint FROM openings) AS archived_movements""")
# What moved at levels: what is in the ledger, and before it what the months came to that left it.
_MOVED = """(
        SELECT item_id, location_id, lot_id, quantity, occurred_at FROM movements
        UNION ALL
        SELECT item_id, location_id, lot_id, quantity, last_at FROM opening_balances
    )"""
# The same with no time before the ledger begins: of what was then only the sum is known.
_SINCE = f"({SINCE})"
_LATER = f"""(
        SELECT item_id, location_id, lot_id, quantity, greatest(occurred_at, {_SINCE})
            AS occurred_at FROM {_MOVED} each
    )"""  # noqa: S608 - our own text.
# The stock of every level is the sum of its ledger.
_LEVELS = text(f"""
    SELECT 'level' AS kind, item_id, location_id, lot_id, NULL::uuid AS movement_id,
           coalesce(m.total, 0) AS expected, coalesce(v.on_hand, 0) AS found,
           NULL::timestamptz AS occurred_at
    FROM levels v FULL JOIN (
        SELECT item_id, location_id, lot_id, sum(quantity) AS total FROM {_MOVED} moved
        GROUP BY 1, 2, 3
    ) m USING (item_id, location_id, lot_id)
    WHERE coalesce(v.on_hand, 0) <> coalesce(m.total, 0) LIMIT :most""")  # noqa: S608 - our own text.
# Every level knows when its latest movement happened.
_LEVEL_TIMES = text(f"""
    SELECT 'level_time' AS kind, item_id, location_id, lot_id, NULL::uuid AS movement_id,
           NULL::numeric AS expected, NULL::numeric AS found, v.moved_at AS occurred_at
    FROM levels v LEFT JOIN (
        SELECT item_id, location_id, lot_id, max(occurred_at) AS latest FROM {_MOVED} moved
        GROUP BY 1, 2, 3
    ) m USING (item_id, location_id, lot_id)
    WHERE v.moved_at IS DISTINCT FROM m.latest LIMIT :most""")  # noqa: S608 - our own text.
# What is reserved at every level is what reservations hold there; in transit it is all of it.
_RESERVED = text("""
    SELECT 'reserved' AS kind, item_id, location_id, lot_id, NULL::uuid AS movement_id, expected,
           reserved AS found, NULL::timestamptz AS occurred_at
    FROM (
        SELECT v.item_id, v.location_id, v.lot_id, v.reserved,
               CASE WHEN l.type = 'transit' THEN v.on_hand ELSE coalesce(h.total, 0) END AS expected
        FROM levels v JOIN locations l ON l.id = v.location_id LEFT JOIN (
            SELECT item_id, location_id, lot_id, sum(held) AS total FROM reservation_holds
            WHERE held > 0 GROUP BY 1, 2, 3
        ) h USING (item_id, location_id, lot_id)
    ) r WHERE reserved <> expected LIMIT :most""")
# Every level knows when the first of what is held there may expire, or expects it sooner.
_HOLD_TIMES = text("""
    SELECT 'hold_time' AS kind, item_id, location_id, lot_id, NULL::uuid AS movement_id,
           NULL::numeric AS expected, NULL::numeric AS found, h.first AS occurred_at
    FROM levels v JOIN (
        SELECT item_id, location_id, lot_id, min(expires_at) AS first FROM reservation_holds
        WHERE held > 0 GROUP BY 1, 2, 3
    ) h USING (item_id, location_id, lot_id)
    WHERE v.holds_until IS NULL OR v.holds_until > h.first LIMIT :most""")
# What lies in transit is what was dispatched and not received yet.
_IN_TRANSIT = text("""
    SELECT 'in_transit' AS kind, item_id, location_id, NULL::uuid AS movement_id,
           coalesce(t.total, 0) AS expected, coalesce(v.on_hand, 0) AS found,
           NULL::timestamptz AS occurred_at
    FROM (
        SELECT item_id, location_id, sum(on_hand) AS on_hand FROM levels
        WHERE location_id IN (SELECT id FROM locations WHERE type = 'transit') GROUP BY 1, 2
    ) v FULL JOIN (
        SELECT item_id, via_id AS location_id, sum(quantity - arrived) AS total
        FROM transfers WHERE received IS NULL GROUP BY 1, 2
    ) t USING (item_id, location_id)
    WHERE coalesce(v.on_hand, 0) <> coalesce(t.total, 0) LIMIT :most""")
# What lies is of a lot of its own item, or of none.
_LEVEL_LOTS = text("""
    SELECT 'level_lot' AS kind, v.item_id, v.location_id, v.lot_id, NULL::uuid AS movement_id,
           NULL::numeric AS expected, v.on_hand AS found, NULL::timestamptz AS occurred_at
    FROM levels v JOIN items i ON i.id = v.item_id
    LEFT JOIN lots t ON t.id = v.lot_id AND t.item_id = v.item_id
    WHERE v.lot_id <> lpad('', 32, '0')::uuid
        AND (t.id IS NULL OR v.on_hand > 0 AND v.is_serial <> (i.tracking = 'serial'))
    LIMIT :most""")
# At no instant of business time was a serial in two places.
_SERIALS = text(f"""
    SELECT 'serial_twice' AS kind, item_id, NULL::uuid AS location_id, lot_id,
           NULL::uuid AS movement_id, 1::numeric AS expected, total AS found, occurred_at
    FROM (
        SELECT m.item_id, m.lot_id, m.occurred_at, sum(sum(m.quantity)) OVER (
            PARTITION BY m.item_id, m.lot_id ORDER BY m.occurred_at) AS total
        FROM {_LATER} m JOIN items i ON i.id = m.item_id AND i.tracking = 'serial'
        WHERE m.lot_id <> lpad('', 32, '0')::uuid
        GROUP BY m.item_id, m.lot_id, m.occurred_at
    ) m WHERE total > 1 ORDER BY occurred_at LIMIT :most""")  # noqa: S608 - our own text.
# At no instant of business time did less than nothing lie anywhere.
_PAST = text(f"""
    SELECT 'past' AS kind, item_id, location_id, lot_id, NULL::uuid AS movement_id,
           0::numeric AS expected, total AS found, occurred_at
    FROM (
        SELECT item_id, location_id, lot_id, occurred_at, sum(sum(quantity)) OVER (
            PARTITION BY item_id, location_id, lot_id ORDER BY occurred_at) AS total
        FROM {_LATER} moved GROUP BY item_id, location_id, lot_id, occurred_at
    ) m WHERE total < 0 ORDER BY occurred_at LIMIT :most""")  # noqa: S608 - our own text.
# Every balance is the sum of the ledger up to there, in the order of recording.
_BALANCES = text("""
    SELECT 'balance' AS kind, item_id, location_id, lot_id, id AS movement_id, total AS expected,
           balance_after AS found, occurred_at
    FROM (
        SELECT *, sum(quantity) OVER (
            PARTITION BY item_id, location_id, lot_id ORDER BY seq) AS total
        FROM (
            SELECT item_id, location_id, lot_id, id, seq, quantity, balance_after, occurred_at
            FROM movements
            UNION ALL
            SELECT item_id, location_id, lot_id, NULL, 0, sum(quantity), NULL, NULL
            FROM opening_balances GROUP BY 1, 2, 3
        ) moved
    ) m WHERE total <> balance_after ORDER BY seq LIMIT :most""")
# Said so that it is looked up in a hash: as a join it was a loop until the tables were analyzed.
_BUSY = "WHERE (item_id IN (SELECT item_id FROM snapshot_sums WHERE grain = 'day')) IS TRUE"
_WHOLE = f"(number + {TOGETHER - 1}) / {TOGETHER} * {TOGETHER}"
# Every sum of snapshots, by months and of some items by days, is that of the ledger rows recorded
# in their time; what they say of the numbers of these, and of those recorded later, is so.
_RECORDED_IN = """
    SELECT m.*, width_bucket(m.recorded_at, k.until) + 1 AS number
    FROM movements m CROSS JOIN (
        SELECT coalesce(array_agg(known_at + interval '1 microsecond' ORDER BY number),
                        ARRAY['infinity'::timestamptz]) AS until FROM snapshots
    ) k"""
_SUMS = """
    SELECT '{grain}' AS grain, {number} AS number, {since} AS since, item_id, location_id,
           lot_id, sum(quantity) AS total
    FROM summed {of} GROUP BY 2, 3, 4, 5, 6"""
_SNAPSHOTS = text(f"""
    WITH recorded AS MATERIALIZED (
        SELECT item_id, location_id, lot_id, number, seq, quantity,
               (occurred_at AT TIME ZONE 'UTC')::date AS day
        FROM ({_RECORDED_IN}) m
    ), summed AS MATERIALIZED (
        SELECT * FROM recorded m WHERE EXISTS (
            SELECT FROM snapshots s WHERE s.number = m.number
                AND (s.made_at IS NOT NULL OR m.item_id <= s.summed_upto))
    ), numbers AS (
        SELECT number, max(max(seq)) OVER (ORDER BY number) AS last, min(min(seq)) OVER (
            ORDER BY number ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS next
        FROM recorded GROUP BY number
    )
    SELECT 'snapshot' AS kind, item_id, location_id, lot_id, NULL::uuid AS movement_id,
           coalesce(m.total, 0) AS expected, coalesce(s.quantity, 0) AS found,
           (since::timestamp AT TIME ZONE 'UTC') AS occurred_at
    FROM (
        {_SUMS.format(grain="day", number="number", since="day", of=_BUSY)}
        UNION ALL
        {_SUMS.format(grain="month", number=_WHOLE, since="date_trunc('month', day)::date", of="")}
    ) m FULL JOIN snapshot_sums s USING (grain, number, since, item_id, location_id, lot_id)
    WHERE coalesce(m.total, 0) <> coalesce(s.quantity, 0)
    UNION ALL
    SELECT 'snapshot', NULL, NULL, NULL, NULL, NULL, NULL, s.known_at
    FROM snapshots s LEFT JOIN numbers n USING (number)
    WHERE n.last IS NULL OR n.last > s.upto_seq OR n.next <= s.after_seq
       OR s.number > (SELECT count(*) FROM snapshots)
    LIMIT :most""")  # noqa: S608 - our own text.
# No ledger row is there twice.
_TWICE = text("""
    SELECT 'movement_twice' AS kind, item_id, location_id, lot_id, id AS movement_id,
           NULL::numeric AS expected, quantity AS found, occurred_at
    FROM (
        SELECT *, row_number() OVER (PARTITION BY id, leg ORDER BY seq) AS copy FROM movements
        WHERE (id, leg) IN (SELECT id, leg FROM movements GROUP BY 1, 2 HAVING count(*) > 1)
    ) m WHERE copy > 1 ORDER BY seq LIMIT :most""")
# Every ledger row has its journal entry, which says the same, and there is no entry beside them
# but of the months that left the ledger.
_ENTRIES = text(f"""
    SELECT CASE WHEN j.movement_id IS NULL THEN 'entry_missing'
                WHEN m.id IS NULL THEN 'movement_missing' ELSE 'entry_differs' END AS kind,
           coalesce(m.item_id, j.item_id) AS item_id,
           coalesce(m.location_id, j.location_id) AS location_id,
           coalesce(m.lot_id, j.lot_id) AS lot_id,
           coalesce(m.id, j.movement_id) AS movement_id,
           j.quantity AS expected, m.quantity AS found,
           coalesce(m.occurred_at, j.occurred_at) AS occurred_at
    FROM movements m FULL JOIN (
        SELECT recorded_at, actor, d.movement_id, d.leg, d.item_id, d.location_id, d.kind,
               coalesce(d.lot_id, lpad('', 32, '0')::uuid) AS lot_id, d.quantity,
               d.given_quantity, d.given_unit, d.reason, d.reason_code, d.reverses, d.part_of,
               d.balance_after, d.cost_id, d.reference, d.occurred_at,
               coalesce(d.backdated, false) AS backdated
        FROM journal CROSS JOIN LATERAL json_to_record(data) AS d(
            movement_id uuid, leg int, item_id uuid, location_id uuid, kind text, lot_id uuid,
            quantity numeric, given_quantity numeric, given_unit text, reason text,
            reason_code text, reverses uuid, part_of uuid, balance_after numeric, cost_id uuid,
            reference text, occurred_at timestamptz, backdated bool)
        WHERE type = 'inventory.stock-moved.v1' AND seq <> ALL(CAST(:without AS bigint[]))
            AND recorded_at >= ({BEGINNING})
    ) j ON j.movement_id = m.id AND j.leg = m.leg
    WHERE m.id IS NULL OR j.movement_id IS NULL
       OR (m.item_id, m.location_id, m.lot_id, m.kind, m.quantity, m.balance_after, m.actor,
           m.occurred_at, m.recorded_at)
          <> (j.item_id, j.location_id, j.lot_id, j.kind, j.quantity, j.balance_after, j.actor,
              j.occurred_at, j.recorded_at)
       OR m.given_quantity IS DISTINCT FROM j.given_quantity
       OR m.given_unit IS DISTINCT FROM j.given_unit
       OR m.cost_id IS DISTINCT FROM j.cost_id OR m.reason IS DISTINCT FROM j.reason
       OR m.reason_code IS DISTINCT FROM j.reason_code
       OR m.reverses IS DISTINCT FROM j.reverses OR m.part_of IS DISTINCT FROM j.part_of
       OR m.reference IS DISTINCT FROM j.reference OR m.backdated <> j.backdated
    LIMIT :most""")  # noqa: S608 - our own text.
# What is journaled of a cost or price: its row, and what it opens to. The newest entry of an item
# says which is in force; the numbers of entries about one item are in the order of its lock.
_JOURNALED = """
    SELECT seq, (data ->> 'price_id')::uuid AS id, (data ->> 'item_id')::uuid AS item_id,
           data ->> 'kind' AS kind, 'item' AS source,
           decode(data ->> 'amount_sealed', 'base64') AS amount
    FROM journal
    WHERE type = 'inventory.price-set.v1' AND seq <> ALL(CAST(:without AS bigint[]))"""
# Every cost and price is as it was journaled, and none is missing or more.
_PRICES = text(f"""
    SELECT 'price' AS kind, coalesce(p.item_id, j.item_id) AS item_id, NULL::uuid AS location_id,
           NULL::uuid AS movement_id, NULL::numeric AS expected, NULL::numeric AS found,
           NULL::timestamptz AS occurred_at, coalesce(p.id, j.id) AS price_id
    FROM prices p FULL JOIN (
        {_JOURNALED}
        UNION ALL
        SELECT seq, (data ->> 'cost_id')::uuid, (data ->> 'item_id')::uuid, 'cost', 'receipt',
               decode(data ->> 'amount_sealed', 'base64')
        FROM journal
        WHERE type = 'inventory.stock-moved.v1' AND data ->> 'amount_sealed' IS NOT NULL
          AND data ->> 'leg' = '0' AND seq <> ALL(CAST(:without AS bigint[]))
    ) j ON j.id = p.id
    WHERE p.id IS NULL OR j.id IS NULL
       OR (p.item_id, p.kind, p.source, p.amount) <> (j.item_id, j.kind, j.source, j.amount)
    LIMIT :most""")  # noqa: S608 - our own text.
# The cost and the price in force of every item are the last that were set.
_IN_FORCE = text(f"""
    SELECT 'price_in_force' AS kind, i.id AS item_id, NULL::uuid AS location_id,
           NULL::uuid AS movement_id, NULL::numeric AS expected, NULL::numeric AS found,
           NULL::timestamptz AS occurred_at, held.id AS price_id
    FROM items i CROSS JOIN LATERAL (VALUES ('cost', i.cost_id), ('price', i.price_id))
        AS held(kind, id)
    LEFT JOIN (
        SELECT DISTINCT ON (item_id, kind) item_id, kind, id FROM ({_JOURNALED}) AS entry
        ORDER BY item_id, kind, seq DESC
    ) j ON j.item_id = i.id AND j.kind = held.kind
    WHERE held.id IS DISTINCT FROM j.id LIMIT :most""")  # noqa: S608 - our own text.
# Every entry of a count is as it was journaled with its call, and none is missing or more; the
# entries of a call are together what its digest says. Those of calls without proofs are not known.
_COUNT_ENTRIES = text("""
    WITH calls AS MATERIALIZED (
        SELECT seq, actor, (data ->> 'count_id')::uuid AS count_id, data ->> 'digest' AS digest,
               decode(coalesce(data ->> 'proofs', ''), 'base64') AS proofs
        FROM journal
        WHERE type = 'inventory.count-entered.v1' AND seq <> ALL(CAST(:without AS bigint[]))
    ), told AS MATERIALIZED (
        SELECT c.seq, c.actor, c.count_id, n,
               encode(substr(c.proofs, n * 24 - 23, 16), 'hex')::uuid AS id,
               substr(c.proofs, n * 24 - 7, 8) AS proof
        FROM calls c CROSS JOIN LATERAL generate_series(1, length(c.proofs) / 24) n
    ), said AS MATERIALIZED (
        SELECT e.*, concat_ws(
            ' ', id, number, round, coalesce(trim_scale(quantity)::text, '-'),
            CASE WHEN adds THEN 'add' ELSE 'all' END,
            trunc(extract(epoch FROM counted_at) * 1000000)) AS line
        FROM count_entries e
    ), compared AS MATERIALIZED (
        SELECT count_id, id AS count_entry_id, t.seq, t.n, s.number, s.line, s.quantity,
               s.counted_at,
               CASE WHEN s.line IS NULL THEN 'count_entry_missing'
                    WHEN t.id IS NULL THEN 'count_entry_unjournaled'
                    WHEN s.counter <> t.actor OR t.proof <> substr(sha256(convert_to(concat_ws(
                        ' ', s.line, s.counter_id,
                        coalesce(trim_scale(s.given_quantity)::text, '-'),
                        coalesce(s.given_unit, '-')), 'UTF8')), 1, 8)
                    THEN 'count_entry_differs' END AS kind
        FROM told t FULL JOIN said s USING (count_id, id)
    ), differing AS (
        SELECT kind, count_id, count_entry_id, seq, number, quantity, counted_at FROM compared
        WHERE kind <> 'count_entry_unjournaled'
           OR (kind IS NOT NULL
               AND count_id NOT IN (SELECT count_id FROM calls WHERE length(proofs) = 0))
        UNION ALL
        SELECT 'count_call_differs', c.count_id, NULL, c.seq, NULL, NULL, NULL
        FROM calls c JOIN (
            SELECT seq, bool_and(kind IS NULL) AS is_whole,
                   encode(sha256(convert_to(string_agg(line || E'\\n', '' ORDER BY n), 'UTF8')),
                          'hex') AS digest
            FROM compared GROUP BY seq
        ) d USING (seq)
        WHERE d.is_whole AND c.digest <> d.digest
    )
    SELECT d.kind, l.item_id, l.location_id, l.lot_id, NULL::uuid AS movement_id,
           NULL::numeric AS expected, d.quantity AS found, d.counted_at AS occurred_at,
           d.count_id, d.count_entry_id, d.seq AS journal_seq
    FROM differing d LEFT JOIN count_lines l ON l.count_id = d.count_id AND l.number = d.number
    LIMIT :most""")
_OF_STOCK = (
    _LEVELS, _LEVEL_TIMES, _LEVEL_LOTS, _SERIALS, _RESERVED, _HOLD_TIMES, _BALANCES, _PAST, _TWICE,
    _IN_TRANSIT, _SNAPSHOTS,
)  # fmt: skip
_STOCK = text("""
    SELECT item_id, location_id, sum(on_hand) AS on_hand FROM levels
    GROUP BY item_id, location_id HAVING sum(on_hand) <> 0""")
