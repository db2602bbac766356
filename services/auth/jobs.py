from services.auth.resources import AuthResources
from services.auth.sessions import service as sessions
from shared.clock import utc_now
from shared.db import Stamp
from shared.jobs import every, run_together, standing_work

FORGET_INTERVAL_S = 600.0
GAUGE_INTERVAL_S = 15.0
_STAMP = Stamp(None, "worker")


async def work(resources: AuthResources) -> None:
    """Run for ever: the standing work, forgetting what has ended, counting what goes on."""

    async def forget() -> None:
        async with resources.database.transaction(_STAMP) as session:
            await sessions.forget_ended(session, now=utc_now())

    async def measure() -> None:
        async with resources.database.transaction(_STAMP) as session:
            await sessions.measure_active(session, now=utc_now())

    await run_together(
        standing_work(resources),
        every(FORGET_INTERVAL_S, "forget ended sessions", forget),
        every(GAUGE_INTERVAL_S, "measure accounts", measure),
    )
