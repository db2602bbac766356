"""The metrics of backups, under the names that dashboards and alerts rely on."""

import time

from prometheus_client import Gauge, Histogram

DURATION_BUCKETS_S = (1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14_400, 28_800)

last_status = Gauge("backup_last_status", "1 if the last backup was made, 0 if it failed.")
last_success = Gauge(
    "backup_last_success_timestamp_seconds", "When the last backup was made and read back."
)
duration = Histogram(
    "backup_duration_seconds",
    "Time from the start of a backup to its signed manifest.",
    buckets=DURATION_BUCKETS_S,
)
size = Gauge("backup_size_bytes", "Size of the last backup, sealed.")
wal_lag = Gauge(
    "backup_wal_lag_seconds", "What would be lost of the newest writes with the machine."
)
drill_success = Gauge(
    "restore_drill_last_success_timestamp_seconds", "When a restore was last rehearsed and proved."
)
drill_duration = Gauge(
    "restore_drill_duration_seconds", "How long the last rehearsal took that was proved."
)


class WalLag:
    """The age of what is kept of the write-ahead log, in the place that is furthest behind."""

    def __init__(self) -> None:
        self._kept_at: dict[str, float] = {}
        wal_lag.set_function(self.seconds)

    def note(self, place: str, kept_at_s: float) -> None:
        """Note that all that was written until then is kept in this place."""
        self._kept_at[place] = kept_at_s

    def seconds(self) -> float:
        if not self._kept_at:
            return 0.0
        return max(0.0, time.time() - min(self._kept_at.values()))
