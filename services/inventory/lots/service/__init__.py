"""Lots of items: which there are, where they lie, where they came from and where they went."""

from services.inventory.lots.service.keeping import change_lot, list_lots
from services.inventory.lots.service.tracing import trace_lot

__all__ = ["change_lot", "list_lots", "trace_lot"]
