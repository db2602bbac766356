from typing import Annotated

from fastapi import Depends, Query

from services.inventory.items.errors import ItemNotFound
from services.inventory.scan import service
from services.inventory.scan.errors import CheckDigitWrong, LabelUnreadable, ScanAmbiguous
from services.inventory.scan.schemas import ScannedText, ScanRead
from shared.db import Database
from shared.principal import Principal
from shared.web import Language, feature_router, problems, requires
from shared.web.requests import get_database

router = feature_router("/api/inventory/scan", "stock")

CanRead = Annotated[Principal, Depends(requires("inventory:read", by_location=True))]
Hot = Annotated[Database, Depends(get_database)]


@router.get("", responses=problems(ItemNotFound, LabelUnreadable, CheckDigitWrong, ScanAmbiguous))
async def read_scan(
    database: Hot,
    value: Annotated[
        ScannedText,
        Query(
            description="As the scanner sends it: a GTIN; a GS1 element string, with FNC1 as the "
            "group separator (%1D) or in brackets; a GS1 Digital Link; a code or barcode of yours. "
            "A symbol's identifier, as `]C1`, may stand before it.",
            examples=["(01)08076800195057(17)270630(10)ABC123"],
        ),
    ],
    caller: CanRead,
    language: Language,
) -> ScanRead:
    """Read a scan.

    Says which item is meant, in which unit, and what the label says: lot, expiry, serial, quantity.
    An element string without marks that is the code of another item too is refused.
    """
    return await service.read_scan(database, value, caller=caller, language=language)
