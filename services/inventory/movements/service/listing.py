"""Listing the ledger."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.movements import queries
from services.inventory.movements.schemas import MovementPage
from services.inventory.movements.service.record import read_row
from shared.pagination import InvalidCursor, decode_cursor, encode_cursor
from shared.principal import Principal
from shared.security.sealing import Sealer

_SORT = "newest"


async def list_movements(
    session: AsyncSession,
    sealer: Sealer,
    filters: dict[str, Any],
    *,
    cursor: str | None,
    limit: int,
    caller: Principal,
) -> MovementPage:
    """Return one page of ledger rows, newest first. Raises InvalidCursor."""
    after = decode_cursor(cursor, _SORT, 1)
    before_seq = _sequence_number(after[0]) if after else None
    rows = await queries.list_movements(session, filters, before_seq=before_seq, limit=limit + 1)
    page = rows[:limit]
    return MovementPage(
        items=[read_row(row, caller, sealer) for row in page],
        next_cursor=encode_cursor(_SORT, [str(page[-1].seq)]) if len(rows) > limit else None,
    )


def _sequence_number(text: str) -> int:
    if not text.isdecimal() or len(text) > len(str(2**63)) - 1:
        raise InvalidCursor
    return int(text)
