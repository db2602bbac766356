"""Writing to the journal, and what a session knows of it."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db import Stamp
from shared.ids import new_id
from shared.journal.entries import Entry
from shared.journal.models import JournalRow

_GREW = "the journal grew"


def record(session: AsyncSession, entry: Entry) -> None:
    """Write an entry in the session's transaction: it stands if and only if the change does.

    Who and where from comes from the stamp under which the transaction was opened.
    """
    stamp = stamp_of(session)
    mark_grown(session)
    session.add(
        JournalRow(
            actor=stamp.actor,
            request_id=stamp.request_id,
            type=entry.name,
            subject=entry.subject,
            data=entry.model_dump(mode="json"),
        )
    )


async def record_many(session: AsyncSession, entries: Sequence[Entry]) -> None:
    """Write entries as `record` does, now and in one statement, in their order.

    A statement for each, as the session makes of them, takes several times as long.
    """
    if not entries:
        return
    stamp = stamp_of(session)
    mark_grown(session)
    rows = {
        "actor": stamp.actor,
        "request_id": stamp.request_id,
        "ids": [new_id() for _ in entries],
        "types": [entry.name for entry in entries],
        "subjects": [entry.subject for entry in entries],
        "contents": [entry.model_dump_json() for entry in entries],
    }
    await session.execute(_RECORD_MANY, rows)


def stamp_of(session: AsyncSession) -> Stamp:
    """Return under which stamp the session's transaction was opened."""
    stamp: Stamp = session.info[Stamp]
    return stamp


def mark_grown(session: AsyncSession) -> None:
    """Note that the session writes to the journal: `record` does, a statement of its own must."""
    session.info[_GREW] = True


def has_grown(session: AsyncSession) -> bool:
    """Say whether followers are to be woken once the session's transaction is committed."""
    return _GREW in session.info


_RECORD_MANY = text("""
    INSERT INTO journal (id, actor, request_id, type, subject, data)
    SELECT id, :actor, :request_id, type, subject, CAST(content AS json)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:types AS text[]), CAST(:subjects AS text[]),
                CAST(:contents AS text[]))
        WITH ORDINALITY AS sent(id, type, subject, content, n)
    ORDER BY n""")
