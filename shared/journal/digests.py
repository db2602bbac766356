"""Digests of entries, by which a copy kept elsewhere is compared without being sent.

Unlike a leaf of the tree a digest is of what an entry says, however its JSON is written: a copy
has been through another's hands.
"""

from functools import lru_cache

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.journal.entries import JournalDigests
from shared.journal.horizon import horizon_of

_FIELDS = (
    "seq::text", "id::text", "tenant_id::text",
    "trunc(extract(epoch FROM recorded_at) * 1000000)::text",
    "actor", "request_id", "type", "subject",
    # A text with this is none that jsonb holds.
    r"CASE WHEN strpos(data::text, '\u0000') > 0 THEN data::text ELSE data::jsonb::text END",
)  # fmt: skip
DIGEST = (
    "sha256(convert_to("
    + " || ".join(f"octet_length({field}) || ':' || {field} || ','" for field in _FIELDS)
    + ", 'UTF8'))"
)
# Of many: whatever the order in which they are read.
DIGEST_OF_ALL = "encode(sha256(string_agg(int8send(seq) || digest, ''::bytea ORDER BY seq)), 'hex')"


async def read_digests(
    connection: AsyncConnection, service: str, after: tuple[int, int], limit: int, *, details: bool
) -> JournalDigests:
    """Return the next entries after a cursor, in the feed's order, as one digest of all.

    With details each entry's own beside. The connection must be the verifier's.
    """
    query = _query(service)
    bounds = {"after_xid": after[0], "after_seq": after[1], "most": limit}
    row = (await connection.execute(query, bounds)).one()
    return JournalDigests(
        xids=row.xids or [],
        seqs=row.seqs or [],
        digest=row.digest,
        digests=(row.digests or []) if details else [],
    )


@lru_cache(maxsize=8)
def _query(service: str) -> TextClause:
    return text(f"""
        SELECT array_agg(xid::text::bigint ORDER BY xid, seq) AS xids,
               array_agg(seq ORDER BY xid, seq) AS seqs, {DIGEST_OF_ALL} AS digest,
               array_agg(encode(digest, 'hex') ORDER BY xid, seq) AS digests
        FROM (
            SELECT xid, seq, {DIGEST} AS digest FROM {service}.journal
            WHERE (xid, seq) > (CAST(:after_xid AS xid8), :after_seq)
              AND xid < {horizon_of(service)}
            ORDER BY xid, seq LIMIT :most
        ) AS entry""")  # noqa: S608 - our own names.
