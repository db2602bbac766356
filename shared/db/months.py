"""Partitions of the large tables by month: made ahead, and seen when they were not."""

from datetime import date

from sqlalchemy import text

from shared import metrics
from shared.db.database import Database
from shared.log import log

MONTHS_AHEAD = 3  # Partitions that are there before their month begins.


async def keep_months(database: Database, today: date) -> None:
    """Add partitions for the months to come, and show of each table how many there are.

    What was written while its month was missing lies in the default partition, is read as ever,
    and stays there with the rest of its month; the months after it get their own.
    """
    async with database.engine.begin() as connection:
        await connection.execute(_ADD, {"today": today, "months": MONTHS_AHEAD})
    async with database.engine.connect() as connection:
        for row in await connection.execute(_SHOW, {"today": today}):
            metrics.partition_months_ahead.labels(row.parent).set(row.ahead)
            metrics.partition_default_used.labels(row.parent).set(row.in_default)
            if row.in_default:
                log.warning("rows lie in the default partition", table=row.parent)


_ADD = text("SELECT add_months(:today, :months)")
_SHOW = text("SELECT parent, ahead, in_default FROM months_of(:today)")
