"""The standing work of every service: seal the journal, verify it, add partitions, forget keys."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from shared.clock import utc_now
from shared.db.months import keep_months
from shared.db.server import watch_disk, watch_server
from shared.jobs.periodic import every, run_together
from shared.journal.keeping import exporter_of, keep_daily
from shared.journal.watch import JournalWatch
from shared.resources import Resources

SEAL_INTERVAL_S = 2.0
VERIFY_INTERVAL_S = 3600.0
VERIFY_NEW_INTERVAL_S = 60.0
EXPORT_INTERVAL_S = 10.0
HOUSEKEEPING_INTERVAL_S = 3600.0
WATCH_INTERVAL_S = 30.0
RETENTION_INTERVAL_S = 3600.0  # A run a day; one that failed is made up sooner.
IDEMPOTENCY_KEYS_KEPT = timedelta(days=7)


async def standing_work(resources: Resources[Any]) -> None:
    """Run for ever what each service's worker owes its own schema."""
    watch = JournalWatch(resources.database, resources.signing_key, resources.keeper)

    async def keep_house() -> None:
        async with resources.database.engine.begin() as connection:
            await connection.execute(_FORGET, {"before": utc_now() - IDEMPOTENCY_KEYS_KEPT})
        await keep_months(resources.database, utc_now().date())

    async def watch_stores() -> None:
        await watch_server(resources.database)
        watch_disk(resources.settings.journal_folder)

    async def keep() -> None:
        await keep_daily(resources, utc_now())

    loops = [
        every(SEAL_INTERVAL_S, "seal journal", watch.seal),
        every(VERIFY_INTERVAL_S, "verify journal", watch.verify),
        every(VERIFY_NEW_INTERVAL_S, "verify new entries", watch.verify_new),
        every(HOUSEKEEPING_INTERVAL_S, "keep house", keep_house),
        every(RETENTION_INTERVAL_S, "retention", keep),
        every(WATCH_INTERVAL_S, "watch the database server", watch_stores),
    ]
    exporter = exporter_of(resources)
    if exporter is not None:
        loops.append(every(EXPORT_INTERVAL_S, "export journal", lambda: exporter.export(utc_now())))
    await run_together(*loops)


_FORGET = text("SELECT forget_idempotency_keys(:before)")
