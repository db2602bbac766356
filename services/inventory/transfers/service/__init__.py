"""Transfers in two stages: what leaves one location is in transit until another receives it."""

from services.inventory.transfers.service.cancelling import cancel_transfer
from services.inventory.transfers.service.dispatching import change_transfer, dispatch_transfer
from services.inventory.transfers.service.reading import get_transfer, list_transfers
from services.inventory.transfers.service.receiving import (
    Receiving,
    apply_approved_receipt,
    receive_transfer,
)

__all__ = [
    "Receiving",
    "apply_approved_receipt",
    "cancel_transfer",
    "change_transfer",
    "dispatch_transfer",
    "get_transfer",
    "list_transfers",
    "receive_transfer",
]
