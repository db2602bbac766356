"""The hot path: any number of movements in one statement, which is a transaction of its own.

For each line: find item and places, look for its Idempotency-Key, lock the levels it touches in
key order, check that no level falls below what is reserved at any point of the lines' order,
change the levels, write ledger and journal rows, keep the key. All lines of an item are applied,
or none of them is (`refused`): who of several gets scarce units is decided by `rules.judge`.
A level is locked at the first line that touches it only: a lock that had to be waited for is
looked up anew by PostgreSQL each time it is taken, which costs as much as several lines.

Rows carry all their columns from step to step and meet tables only through an index look-up of
their own, which no statistics can talk the planner out of: OFFSET 0 keeps each look-up a step of
its own, and levels are written through their key's conflict, with the sums reckoned under lock.
So one plan serves one line and ten thousand, an empty table and a full one.
"""

APPLY = """
WITH asked AS (
    SELECT a.*, k.fingerprint AS kept_fingerprint, k.answer AS kept_answer,
           i.id AS item, i.code, i.active, coalesce(a.cost_id, i.cost_id) AS used_cost,
           p.id AS place, c.id AS counterplace,
           (k.fingerprint IS NULL AND i.active AND p.id IS NOT NULL
               AND (a.to_location IS NULL OR c.id IS NOT NULL)) IS TRUE AS fit
    FROM unnest($1::int[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::text[],
                $8::numeric[], $9::uuid[], $10::bytea[], $11::text[], $12::text[],
                $13::timestamptz[], $14::text[], $15::text[], $16::text[], $17::bytea[])
         AS a(n, id, kind, item_code, item_id, location, to_location, change, cost_id, amount,
              reason, reference, occurred_at, actor, request_id, key, fingerprint)
    LEFT JOIN LATERAL (
        SELECT fingerprint, answer FROM idempotency_keys
        WHERE a.key IS NOT NULL AND actor = a.actor AND key = a.key OFFSET 0
    ) k ON true
    LEFT JOIN LATERAL (
        SELECT id, code, active, cost_id FROM items WHERE code = a.item_code
        UNION ALL
        SELECT id, code, active, cost_id FROM items WHERE a.item_id IS NOT NULL AND id = a.item_id
    ) i ON true
    LEFT JOIN LATERAL (SELECT id FROM locations WHERE name = a.location OFFSET 0) p ON true
    LEFT JOIN LATERAL (SELECT id FROM locations WHERE name = a.to_location OFFSET 0) c ON true
), leg AS (
    SELECT end_of.*, asked.*
    FROM asked CROSS JOIN LATERAL (
        VALUES (0, place, location, CASE WHEN fit THEN change END),
               (1, counterplace, to_location, -change)
    ) end_of(leg, at, at_name, delta)
    WHERE leg = 0 OR (fit AND to_location IS NOT NULL)
), locked AS MATERIALIZED (
    SELECT leg.*, v.on_hand AS found, v.reserved AS found_reserved
    FROM (
        SELECT *, row_number() OVER (PARTITION BY fit, item, at ORDER BY n, leg) AS turn
        FROM leg ORDER BY fit, item, at, n, leg
    ) leg
    LEFT JOIN LATERAL (
        SELECT on_hand, reserved FROM levels
        WHERE leg.fit AND leg.turn = 1 AND item_id = leg.item AND location_id = leg.at
            AND lot_id = $18 FOR UPDATE
    ) v ON true
), stepped AS (
    SELECT *, first_value(found) OVER turns AS on_hand,
           first_value(found_reserved) OVER turns AS reserved,
           first_value(found) OVER turns + sum(delta) OVER turns AS balance
    FROM locked WINDOW turns AS (PARTITION BY fit, item, at ORDER BY n, leg)
), decided AS MATERIALIZED (
    SELECT *, bool_or(bad) OVER (PARTITION BY fit, item) AS refused,
           bool_or(missing) OVER (PARTITION BY fit, item) AS level_missing
    FROM (
        SELECT *, fit AND on_hand IS NULL AND delta > 0 AS missing,
               fit AND (on_hand IS NULL OR (delta < 0 AND balance < reserved)) AS bad
        FROM stepped
    ) checked
), atomically AS (
    SELECT $19 AND bool_or(refused OR NOT fit) AS refused FROM decided
), applied AS MATERIALIZED (
    SELECT * FROM decided
    WHERE fit AND NOT refused AND NOT (SELECT refused FROM atomically) ORDER BY n, leg
), keyed AS (
    INSERT INTO idempotency_keys (actor, key, fingerprint, answer)
    SELECT actor, key, fingerprint, jsonb_build_object('movement_id', id)
    FROM applied WHERE leg = 0 AND key IS NOT NULL ORDER BY actor, key
), moved AS (
    INSERT INTO levels (item_id, location_id, lot_id, on_hand)
    SELECT item, at, $18, min(on_hand) + sum(delta) FROM applied GROUP BY item, at
    ON CONFLICT (tenant_id, item_id, location_id, lot_id) DO UPDATE SET on_hand = excluded.on_hand
), priced AS (
    INSERT INTO prices (id, item_id, kind, source, amount)
    SELECT cost_id, item, 'cost', 'receipt', amount
    FROM applied WHERE leg = 0 AND amount IS NOT NULL
), entered AS (
    INSERT INTO movements (id, leg, kind, item_id, location_id, quantity, balance_after, cost_id,
                           reason, reference, actor, occurred_at, recorded_at)
    SELECT id, leg, kind, item, at, delta, balance, used_cost, reason, reference, actor,
           occurred_at, $20
    FROM applied
), journaled AS (
    INSERT INTO journal (id, recorded_at, actor, request_id, type, subject, data)
    SELECT gen_random_uuid(), $20, actor, request_id, 'inventory.stock-moved.v1', 'item:' || item,
           (SELECT row_to_json(entry) FROM (
               SELECT id AS movement_id, leg, kind, item AS item_id, code, at AS location_id,
                      at_name AS location, delta::text AS quantity,
                      balance::text AS balance_after, used_cost AS cost_id,
                      encode(amount, 'base64') AS amount_sealed, reason, reference, occurred_at
           ) entry)
    FROM applied
)
SELECT n,
       CASE WHEN kept_fingerprint IS NOT NULL THEN 'kept'
            WHEN item IS NULL THEN 'unknown_item'
            WHEN NOT active THEN 'retired_item'
            WHEN place IS NULL THEN 'unknown_location'
            WHEN NOT fit THEN 'unknown_to_location'
            WHEN level_missing THEN 'level_missing'
            WHEN refused THEN 'refused'
            WHEN (SELECT refused FROM atomically) THEN 'held_back'
            ELSE 'applied' END AS status,
       item, code, at, delta, balance, greatest(on_hand - reserved, 0) AS available, used_cost,
       CASE WHEN $21 THEN (SELECT amount FROM prices WHERE id = used_cost) END AS used_amount,
       $20 AS recorded_at, kept_fingerprint, (kept_answer ->> 'movement_id')::uuid AS kept_movement
FROM decided WHERE leg = 0
"""

# Who is meant, for lines whose levels must be locked and judged first.
RESOLVE = """
SELECT a.n, i.id AS item_id, p.id AS place, c.id AS counterplace
FROM unnest($1::int[], $2::text[], $3::uuid[], $4::text[], $5::text[])
     AS a(n, item_code, item_id, location, to_location)
JOIN LATERAL (
    SELECT id FROM items WHERE code = a.item_code AND active
    UNION ALL
    SELECT id FROM items WHERE id = a.item_id AND active
) i ON true
JOIN LATERAL (SELECT id FROM locations WHERE name = a.location) p ON true
LEFT JOIN LATERAL (SELECT id FROM locations WHERE name = a.to_location) c ON true
WHERE a.to_location IS NULL OR c.id IS NOT NULL
"""

ENSURE_LEVELS = """
INSERT INTO levels (item_id, location_id)
SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS w(item_id, location_id) ORDER BY 1, 2
ON CONFLICT DO NOTHING
"""

LOCK_LEVELS = """
SELECT w.item_id, w.location_id, v.on_hand, v.reserved
FROM (
    SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS u(item_id, location_id) ORDER BY 1, 2
) w
CROSS JOIN LATERAL (
    SELECT on_hand, reserved FROM levels
    WHERE item_id = w.item_id AND location_id = w.location_id AND lot_id = $3 FOR UPDATE
) v
"""
