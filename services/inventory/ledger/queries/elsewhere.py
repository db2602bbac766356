"""Where else an item is available, for who could not have it where he asked."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

import asyncpg

from services.inventory.ledger.rules import Elsewhere
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


_ELSEWHERE = """
SELECT w.item_id, v.location_id, v.location, v.available
FROM unnest($1::uuid[]) AS w(item_id)
CROSS JOIN LATERAL (
    SELECT l.id AS location_id, l.name AS location, sum(v.on_hand - v.reserved) AS available
    FROM levels v JOIN locations l ON l.id = v.location_id
    WHERE v.item_id = w.item_id AND v.on_hand > v.reserved AND l.active AND l.frozen_by IS NULL
        AND ($2::uuid[] IS NULL OR v.location_id = ANY($2::uuid[]))
    GROUP BY l.id, l.name ORDER BY available DESC, l.name LIMIT $3
) v
"""
