from sqlalchemy.ext.asyncio import AsyncSession

from shared.db import Stamp
from shared.journal.entries import Entry
from shared.journal.models import JournalRow


def record(session: AsyncSession, entry: Entry) -> None:
    """Write an entry in the session's transaction: it stands if and only if the change does.

    Who and where from comes from the stamp under which the transaction was opened.
    """
    stamp: Stamp = session.info["stamp"]
    session.info["journaled"] = True
    session.add(
        JournalRow(
            actor=stamp.actor,
            request_id=stamp.request_id,
            type=entry.name,
            subject=entry.subject,
            data=entry.model_dump(mode="json"),
        )
    )
