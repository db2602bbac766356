from typing import Annotated

from fastapi import Depends, Query

from services.inventory.verification import service
from services.inventory.verification.schemas import VerificationQuery, VerificationRead
from shared.db import Database
from shared.journal import verification
from shared.journal.archive_folder import ArchiveFolder
from shared.journal.keeper import Keeper
from shared.journal.notes import SigningKey
from shared.principal import Principal
from shared.web import Session, feature_router, requires
from shared.web.requests import get_archives, get_database, get_keeper, get_signing_key

router = feature_router("/api/inventory/verify", "verification")

CanAudit = Annotated[Principal, Depends(requires("audit:read"))]


@router.get("")
async def verify_stock(
    session: Session,
    _caller: CanAudit,
    database: Annotated[Database, Depends(get_database)],
    signing_key: Annotated[SigningKey, Depends(get_signing_key)],
    keeper: Annotated[Keeper, Depends(get_keeper)],
    archives: Annotated[ArchiveFolder | None, Depends(get_archives)],
    query: Annotated[VerificationQuery, Query()],
) -> VerificationRead:
    """Verify the stock against the ledger.

    Recomputes all stock from the ledger, compares ledger, prices and what was entered into counts
    with the journal row by row, and the journal with its signed checkpoints.
    """
    since = None if query.full else await verification.find_verified(database, signing_key)
    chain = await verification.verify(
        database,
        signing_key,
        keeper=keeper,
        since=since,
        archives=archives if query.archives else None,
    )
    return await service.verify(session, chain)
