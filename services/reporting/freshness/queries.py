from collections.abc import Sequence

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession


async def list_cursors(session: AsyncSession, producers: Sequence[str]) -> Sequence[RowMapping]:
    """Return how far each of these journals was followed, in the order of their names."""
    rows = await session.execute(_CURSORS, {"producers": list(producers)})
    return rows.mappings().all()


_CURSORS = text("""
    SELECT p.producer, coalesce(c.xid, 0) AS xid, coalesce(c.seq, 0) AS seq, c.recorded_at,
           c.applied_at, coalesce((c.xid, c.seq) < (r.xid, r.seq), false) AS is_rebuilding
    FROM unnest(CAST(:producers AS text[])) AS p (producer)
    LEFT JOIN follower_cursors c ON c.producer = p.producer
    LEFT JOIN rebuilds r ON r.producer = p.producer ORDER BY p.producer""")
