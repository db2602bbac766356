"""The job that watches a mirror: metrics, coming months there, comparisons at their times."""

import asyncio
import time
from collections import deque

import asyncpg
import structlog

from deploy.mirror import metrics
from deploy.mirror.checking import check
from deploy.mirror.errors import MirrorError
from deploy.mirror.servers import Ends, connected
from deploy.mirror.settings import Settings
from deploy.mirror.status import SlotState, SubscriptionState, read_slot, read_subscription
from deploy.mirror.tables import list_tables
from deploy.postgres.bootstrap import SERVICES
from shared.db.months import MONTHS_AHEAD
from shared.jobs import run_until_told
from shared.web.beside import health_app, serve_beside

log = structlog.get_logger()
UNKNOWN = "unknown"  # The table of a failure that only the mirror's log names.
HISTORY_MAX = 10_000  # Moments kept to tell the lag in seconds: more than a day of them.


class MirrorWatch:
    """What is known from one look to the next."""

    def __init__(self, ends: Ends) -> None:
        self._ends = ends
        self._written: deque[tuple[float, int]] = deque(maxlen=HISTORY_MAX)  # (when, up to where)
        self._failures: int | None = None

    async def look(self) -> None:
        """Bring the metrics up to date; a server that is away is told by them, not raised."""
        await self._look_at("primary", self._ends.primary)
        await self._look_at("mirror", self._ends.mirror)

    async def start_errors(self) -> None:
        """Begin the errors of every table at 0, so that the first one is an increase."""
        async with connected(self._ends.primary, self._ends.database) as primary:
            for table in await list_tables(primary):
                metrics.errors.labels(table.name)
        metrics.errors.labels(UNKNOWN)

    async def compare(self) -> None:
        """Compare both databases and count what differs."""
        found = await check(self._ends)
        for name, count in found.differing.items():
            metrics.errors.labels(name).inc(count)
        for row in found.named:
            log.error("row differs", table=row.table, fault=row.fault, key=row.key)
        metrics.differing_rows.set(sum(found.differing.values()))
        if found.ok:
            metrics.last_check.set(time.time())

    async def keep_months(self) -> None:
        """Add coming months on the mirror, which nobody else does there."""
        async with connected(self._ends.mirror, self._ends.database) as mirror:
            for service in SERVICES:
                await mirror.fetchval(f"SELECT {service}.keep_partitions($1)", MONTHS_AHEAD)

    async def _look_at(self, server: str, dsn: str) -> None:
        try:
            async with connected(dsn, self._ends.database) as connection:
                if server == "primary":
                    self._note_slot(await read_slot(connection))
                else:
                    self._note_subscription(await read_subscription(connection))
        except (MirrorError, OSError, asyncpg.PostgresError) as error:
            metrics.reachable.labels(server).set(0)
            if server == "mirror":
                metrics.applying.set(0)
            log.warning("server away", server=server, reason=str(error))
        else:
            metrics.reachable.labels(server).set(1)

    def _note_slot(self, slot: SlotState | None) -> None:
        for status in metrics.WAL_STATUSES:
            is_so = (slot.wal_status if slot else "lost") == status
            metrics.slot_wal_status.labels(status).set(is_so)
        metrics.slot_active.set(bool(slot and slot.is_active))
        if slot is None:
            return
        metrics.slot_inactive_seconds.set(slot.inactive_s)
        metrics.lag_bytes.set(slot.lag_bytes)
        if slot.safe_bytes is not None:
            metrics.slot_safe_bytes.set(slot.safe_bytes)
        metrics.lag_seconds.set(self.lag_s(slot, time.monotonic()))

    def lag_s(self, slot: SlotState, now: float) -> float:
        """Return how long ago the mirror had all: since the oldest moment it has not reached."""
        high, _, low = slot.lsn.partition("/")
        written = (int(high, 16) << 32) + int(low, 16)
        self._written.append((now, written))
        confirmed = written - slot.lag_bytes
        while self._written and self._written[0][1] <= confirmed:
            self._written.popleft()
        return now - self._written[0][0] if self._written else 0.0

    def _note_subscription(self, state: SubscriptionState | None) -> None:
        metrics.applying.set(bool(state and state.is_applying))
        if state is None:
            return
        metrics.tables_pending.set(state.tables - state.tables_copied)
        if state.silent_s is not None:
            metrics.silent_seconds.set(state.silent_s)
        failures = state.apply_errors + state.sync_errors
        if self._failures is not None and failures > self._failures:
            metrics.errors.labels(UNKNOWN).inc(failures - self._failures)
        self._failures = failures


async def work(settings: Settings) -> None:
    """Watch until the process is told to end."""
    loops = [_watch(settings)]
    if settings.metrics_port is not None:
        loops.append(serve_beside(health_app(settings, lambda: True), settings))
    await run_until_told(*loops)


async def _watch(settings: Settings) -> None:
    watch = MirrorWatch(settings.ends)
    is_started = False
    checked_at = -settings.mirror_check_interval_s
    while True:
        await watch.look()
        try:
            if not is_started:
                await watch.start_errors()
                is_started = True
            if time.monotonic() - checked_at >= settings.mirror_check_interval_s:
                checked_at = time.monotonic()
                await watch.keep_months()
                await watch.compare()
        except (MirrorError, OSError, asyncpg.PostgresError) as error:
            log.warning("not compared", reason=str(error))
        await asyncio.sleep(settings.mirror_interval_s)
