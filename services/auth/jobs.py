from datetime import timedelta

from sqlalchemy import text

from services.auth import metrics
from services.auth.sessions.rules import ATTEMPT_WINDOW
from shared.clock import utc_now
from shared.jobs import every, run_together, standing_work
from shared.web.resources import Resources

FORGET_INTERVAL_S = 600.0
GAUGE_INTERVAL_S = 15.0
ENDED_SESSIONS_KEPT = timedelta(days=1)  # Longer than any access token that came of them.


async def work(resources: Resources) -> None:
    """Run for ever: the standing work, forgetting what has ended, counting what goes on."""

    async def forget() -> None:
        now = utc_now()
        async with resources.database.engine.begin() as connection:
            await connection.execute(
                _FORGET,
                {
                    "ended_before": now - ENDED_SESSIONS_KEPT,
                    "attempts_before": now - ATTEMPT_WINDOW,
                },
            )

    async def count() -> None:
        async with resources.database.engine.connect() as connection:
            found = (await connection.execute(_COUNT, {"at": utc_now()})).one()
        metrics.users_active.set(found.users)
        metrics.sessions_active.set(found.sessions)

    await run_together(
        standing_work(resources),
        every(FORGET_INTERVAL_S, "forget ended sessions", forget),
        every(GAUGE_INTERVAL_S, "count accounts", count),
    )


_FORGET = text("SELECT forget_ended(:ended_before, :attempts_before)")
_COUNT = text("SELECT users, sessions FROM count_active(:at)")
