"""Who reads a journal, and how far: no month goes that one of them has still to follow."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def note_reader(connection: AsyncConnection, reader: str, after: tuple[int, int]) -> None:
    """Note where a service asks for more: all before that it has. Once a minute, or if it is less.

    Only that much is written for it, since every follower asks each second.
    """
    values = {"reader": reader, "xid": after[0], "seq": after[1]}
    await connection.execute(_NOTE, values)


_NOTE = text("""
    INSERT INTO feed_readers AS r (reader, xid, seq, read_at)
    SELECT :reader, :xid, :seq, clock_timestamp()
    WHERE NOT EXISTS (
        SELECT FROM feed_readers WHERE reader = :reader AND (xid, seq) <= (:xid, :seq)
            AND read_at BETWEEN clock_timestamp() - interval '1 minute' AND clock_timestamp())
    ON CONFLICT ON CONSTRAINT feed_readers_pkey
    DO UPDATE SET xid = excluded.xid, seq = excluded.seq, read_at = excluded.read_at""")
