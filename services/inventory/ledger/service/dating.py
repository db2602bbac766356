"""From when on movements may be dated."""

import asyncpg

from services.inventory.ledger.rules import OpenFrom, Refusal
from services.inventory.openings.service import find_kept_from_of
from services.inventory.periods import service as periods


async def find_open_from(connection: asyncpg.Connection) -> OpenFrom | None:
    """Return the earliest instant that a movement may have, and why; None for any.

    No period is closed until the transaction ends. Asked for once all of the ledger was read that
    is judged by: a month that leaves it waits for who reads it, and is seen here by who did not.
    """
    closed = await periods.find_open_from(connection)
    kept = await find_kept_from_of(connection)
    if kept is not None and (closed is None or closed < kept):
        return OpenFrom(kept, Refusal.ARCHIVED)
    return None if closed is None else OpenFrom(closed, Refusal.PERIOD_CLOSED)
