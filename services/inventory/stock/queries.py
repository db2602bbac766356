from collections.abc import Sequence
from uuid import UUID

import asyncpg

from shared.principal import Places


async def look_up(
    connection: asyncpg.Connection,
    keys: Sequence[str | None],
    ids: Sequence[UUID | None],
    *,
    places: Places,
) -> list[asyncpg.Record]:
    """Return the items with these keys or ids, a row for each place one lies (or one without).

    Of each pair one is None; `n` is its number, from 1. Other places than these are left out.
    """
    rows: list[asyncpg.Record] = (
        await connection.fetch(_LOOK_UP, keys, ids)
        if places is None
        else await connection.fetch(_LOOK_UP_WITHIN, keys, ids, list(places))
    )
    return rows


_LOOK_UP_AT = """
    SELECT a.n, i.id, i.code, i.name_en, i.name_fr, i.unit, i.active,
           c.name_en AS category_en, c.name_fr AS category_fr, i.category_id,
           l.name AS location, l.type = 'transit' AS is_transit,
           v.location_id, o.code AS lot, o.expires_on, v.on_hand, v.reserved, v.available,
           i.packs::text AS packs, f.unit AS named_unit
    FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY a(key, id, n)
    CROSS JOIN LATERAL (
        SELECT item_id, unit FROM identifiers WHERE key = a.key
        UNION ALL
        SELECT a.id, NULL WHERE a.id IS NOT NULL
    ) f
    CROSS JOIN LATERAL (SELECT * FROM items WHERE id = f.item_id OFFSET 0) i
    LEFT JOIN categories c ON c.id = i.category_id
    LEFT JOIN LATERAL (
        SELECT location_id, lot_id, on_hand, reserved, available FROM levels_now
        WHERE i.tracking <> 'serial' AND item_id = i.id AND on_hand > 0{within}
        UNION ALL
        SELECT location_id, NULL, sum(on_hand), sum(reserved), sum(available) FROM levels_now
        WHERE i.tracking = 'serial' AND item_id = i.id AND serial_id IS NOT NULL{within}
        GROUP BY location_id
    ) v ON true
    LEFT JOIN locations l ON l.id = v.location_id
    LEFT JOIN LATERAL (
        SELECT * FROM lots WHERE i.tracking = 'lot' AND id = v.lot_id OFFSET 0
    ) o ON true
    ORDER BY a.n, l.name, o.expires_on, o.received_at, o.key
"""
_LOOK_UP = _LOOK_UP_AT.format(within="")
_LOOK_UP_WITHIN = _LOOK_UP_AT.format(within=" AND location_id = ANY($3::uuid[])")
