"""Physical counts of stock: opened, entered, reviewed, and posted once.

Whatever changes a count holds its row until the transaction ends, so one of several who close it
does. No movement ever waits for a count.
"""

from services.inventory.counts.service.entering import enter_lines
from services.inventory.counts.service.opening import open_count
from services.inventory.counts.service.posting import Poster, apply_approved_count, post_count
from services.inventory.counts.service.proposing import list_proposals
from services.inventory.counts.service.reading import (
    get_count,
    list_counts,
    list_lines,
    read_count,
)
from services.inventory.counts.service.reviewing import ask_recount, cancel_count

__all__ = [
    "Poster",
    "apply_approved_count",
    "ask_recount",
    "cancel_count",
    "enter_lines",
    "get_count",
    "list_counts",
    "list_lines",
    "list_proposals",
    "open_count",
    "post_count",
    "read_count",
]
