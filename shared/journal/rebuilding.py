"""While read models are made anew, whoever reads them is told so, and never reads half of both."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def hold_off(session: AsyncSession) -> None:
    """Let no rebuild begin until the transaction ends: what is read from here on belongs together.

    Cursors and read models are emptied at once, but read one after the other.
    """
    await session.execute(_HOLD_OFF)


async def begin(session: AsyncSession, producers: Sequence[str]) -> None:
    """Wait for those who read, and set cursors to the start.

    Until they are again where they are now, what is read is incomplete.
    """
    await session.execute(_TAKE)
    for producer in producers:
        await session.execute(_REMEMBER, {"producer": producer})
        await session.execute(_REWIND, {"producer": producer})


_KEY = "hashtextextended('rebuild of ' || current_schema(), 0)"
_HOLD_OFF = text(f"SELECT pg_advisory_xact_lock_shared({_KEY})")
_TAKE = text(f"SELECT pg_advisory_xact_lock({_KEY})")
# A rebuild that begins before the last one is done ends where that one would have ended.
_REMEMBER = text("""
    INSERT INTO rebuilds AS r (producer, xid, seq)
    SELECT producer, xid, seq FROM follower_cursors WHERE producer = :producer FOR UPDATE
    ON CONFLICT ON CONSTRAINT rebuilds_pkey DO UPDATE SET xid = excluded.xid, seq = excluded.seq
    WHERE (excluded.xid, excluded.seq) > (r.xid, r.seq)""")
_REWIND = text("""
    UPDATE follower_cursors SET xid = 0, seq = 0, recorded_at = NULL, applied_at = NULL
    WHERE producer = :producer""")
