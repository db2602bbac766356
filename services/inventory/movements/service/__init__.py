"""Recording movements, one at a time or many, and listing them."""

from services.inventory.movements.service.batching import Batcher
from services.inventory.movements.service.bulk import record_bulk
from services.inventory.movements.service.listing import list_movements
from services.inventory.movements.service.record import Request, record_movement

__all__ = ["Batcher", "Request", "list_movements", "record_bulk", "record_movement"]
