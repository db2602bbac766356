"""What comes in and goes out of movements."""

from services.inventory.movements.schemas.bulk import BulkCreate, BulkRead, LineFault
from services.inventory.movements.schemas.movement import (
    GivenRead,
    LotQuantityRead,
    MovementCreate,
    MovementPage,
    MovementQuery,
    MovementRead,
    MovementReasonRead,
    MovementReasonsRead,
    ReversalCreate,
    Serials,
    SingleMovementRead,
    fault_of_serials,
)

__all__ = [
    "BulkCreate",
    "BulkRead",
    "GivenRead",
    "LineFault",
    "LotQuantityRead",
    "MovementCreate",
    "MovementPage",
    "MovementQuery",
    "MovementRead",
    "MovementReasonRead",
    "MovementReasonsRead",
    "ReversalCreate",
    "Serials",
    "SingleMovementRead",
    "fault_of_serials",
]
