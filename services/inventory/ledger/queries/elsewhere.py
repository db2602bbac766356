"""Where else an item is available, and what comes next, for who could not have it."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

import asyncpg

from services.inventory.ledger.rules import Elsewhere, NextReceipt
from shared.principal import Places


async def list_elsewhere(
    connection: asyncpg.Connection, item_ids: Collection[UUID], *, places: Places, most: int
) -> dict[UUID, list[Elsewhere]]:
    """Return the locations with the most available of each item, at most so many, of the places.

    Frozen and retired ones are left out. What the open transaction has not written is not seen.
    """
    known = None if places is None else list(places)
    found: dict[UUID, list[Elsewhere]] = defaultdict(list)
    for row in await connection.fetch(_ELSEWHERE, list(item_ids), known, most):
        found[row["item_id"]].append(
            Elsewhere(row["location_id"], row["location"], row["available"])
        )
    return found


async def list_next_receipts(
    connection: asyncpg.Connection, item_ids: Collection[UUID], *, places: Places
) -> dict[UUID, list[NextReceipt]]:
    """Return what of each item comes next to each of the places, the earliest first.

    What nobody has said a time of, or should have come by now, is left out.
    """
    known = None if places is None else list(places)
    found: dict[UUID, list[NextReceipt]] = defaultdict(list)
    for row in await connection.fetch(_NEXT_RECEIPTS, list(item_ids), known):
        found[row["item_id"]].append(
            NextReceipt(row["to_id"], row["location"], row["quantity"], row["expected_at"])
        )
    return found


_NEXT_RECEIPTS = """
SELECT r.* FROM (
    SELECT DISTINCT ON (t.item_id, t.to_id) t.item_id, t.to_id, l.name AS location,
           t.quantity - t.arrived AS quantity, t.expected_at
    FROM transfers t JOIN locations l ON l.id = t.to_id
    WHERE t.item_id = ANY($1::uuid[]) AND t.received IS NULL AND t.expected_at > now()
        AND ($2::uuid[] IS NULL OR t.to_id = ANY($2::uuid[]))
    ORDER BY t.item_id, t.to_id, t.expected_at, t.id
) r ORDER BY r.expected_at, r.location
"""
_ELSEWHERE = """
SELECT w.item_id, v.location_id, v.location, v.available
FROM unnest($1::uuid[]) AS w(item_id)
CROSS JOIN LATERAL (
    SELECT l.id AS location_id, l.name AS location, sum(v.available) AS available
    FROM levels_now v JOIN locations l ON l.id = v.location_id
    WHERE v.item_id = w.item_id AND v.available > 0 AND l.active AND l.frozen_by IS NULL
        AND ($2::uuid[] IS NULL OR v.location_id = ANY($2::uuid[]))
    GROUP BY l.id, l.name ORDER BY available DESC, l.name LIMIT $3
) v
"""
