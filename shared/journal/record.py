"""Writing to the journal, and what a session knows of it."""

from sqlalchemy.ext.asyncio import AsyncSession

from shared.db import Stamp
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
