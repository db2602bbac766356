"""What the stock is worth: kept while journals are followed, summed up when asked."""

from services.reporting.inventory_value.service.report import (
    Total,
    get_report,
    total_value,
)
from services.reporting.inventory_value.service.revalue import revalue

__all__ = ["Total", "get_report", "revalue", "total_value"]
