"""Proving the stock: levels against ledger, ledger against itself and against the journal."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.verification import queries
from services.inventory.verification.schemas import Checked, StockDifferenceRead, VerificationRead


async def verify(session: AsyncSession) -> VerificationRead:
    """Recompute the caller's stock from the ledger and return every difference, 100 at most."""
    checked = await queries.count_checked(session)
    differences = await queries.list_differences(session)
    return VerificationRead(
        ok=not differences,
        checked=Checked.model_validate(dict(checked)),
        differences=[StockDifferenceRead.model_validate(dict(row)) for row in differences],
    )
