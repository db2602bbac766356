from services.forecasting.models import metrics as model_metrics
from services.forecasting.models import queries as models
from services.forecasting.resources import ForecastingResources
from services.forecasting.training import metrics as training_metrics
from services.forecasting.training import queries as training
from services.forecasting.training.service import adopt_orphan
from services.forecasting.worker import Trainer
from shared.db import Database, Stamp
from shared.jobs import every, run_together, standing_work

GAUGE_INTERVAL_S = 10.0
ADOPTION_INTERVAL_S = 30.0
HOUSEKEEPING_INTERVAL_S = 3600.0


async def work(resources: ForecastingResources) -> None:
    """Run forecasting's work outside requests for ever."""
    settings = resources.own
    database = resources.database
    loops = [
        standing_work(resources),
        every(GAUGE_INTERVAL_S, "show gauges", lambda: _show_gauges(database)),
        every(HOUSEKEEPING_INTERVAL_S, "forget queue log", lambda: _forget_queue_log(database)),
    ]
    if settings.ai_training_enabled:
        loops += [
            Trainer(resources, settings.ai_workers).run(),
            every(ADOPTION_INTERVAL_S, "adopt orphans", lambda: adopt_orphans(database)),
        ]
    await run_together(*loops)


async def adopt_orphans(database: Database) -> int:
    """Queue unfinished items again whose entry the queue has lost; return how many."""
    async with database.transaction(Stamp(None, "training")) as session:
        orphans = await training.list_orphans(session)
    adopted = 0
    for orphan in orphans:
        async with database.transaction(Stamp(orphan["tenant_id"], "training")) as session:
            adopted += await adopt_orphan(session, orphan["id"]) is not None
    return adopted


async def _show_gauges(database: Database) -> None:
    async with database.transaction(Stamp(None, "gauges")) as session:
        model_metrics.show_active(await models.list_active(session))
        training_metrics.show_queued(await training.count_queued(session))


async def _forget_queue_log(database: Database) -> None:
    async with database.transaction(Stamp(None, "housekeeping")) as session:
        await training.forget_queue_log(session)
