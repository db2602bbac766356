from typing import Annotated

from fastapi import Depends

from services.inventory.verification import service
from services.inventory.verification.schemas import VerificationRead
from shared.principal import Principal
from shared.web import Session, feature_router, requires

router = feature_router("/api/inventory/verify", "verification")

CanAudit = Annotated[Principal, Depends(requires("audit:read"))]


@router.get("")
async def verify_stock(session: Session, _caller: CanAudit) -> VerificationRead:
    """Verify the stock against the ledger.

    Recomputes all stock from the ledger, and compares ledger and journal row by row.
    """
    return await service.verify(session)
