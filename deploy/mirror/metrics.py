"""The metrics of the mirror, under the names that dashboards and alerts rely on."""

from prometheus_client import Counter, Gauge

WAL_STATUSES = ("reserved", "extended", "unreserved", "lost")

errors = Counter(
    "db_dual_write_errors_total",
    "Rows that a comparison found not alike, by table; failures to apply, as table unknown.",
    ["table"],
)
reachable = Gauge("db_mirror_reachable", "1 if the server answers.", ["server"])
lag_bytes = Gauge("db_mirror_lag_bytes", "Log written and not confirmed by the mirror.")
lag_seconds = Gauge("db_mirror_lag_seconds", "How long ago the mirror had all that was written.")
slot_active = Gauge("db_mirror_slot_active", "1 if the mirror is connected to its slot.")
slot_inactive_seconds = Gauge(
    "db_mirror_slot_inactive_seconds", "For how long the mirror has not been connected."
)
slot_safe_bytes = Gauge(
    "db_mirror_slot_safe_bytes", "Log that may be written before the slot is lost."
)
slot_wal_status = Gauge(
    "db_mirror_slot_wal_status", "1 for the status the slot has; lost is for ever.", ["status"]
)
applying = Gauge("db_mirror_applying", "1 if the mirror has a process that applies changes.")
silent_seconds = Gauge("db_mirror_silent_seconds", "Since the mirror last heard of the primary.")
tables_pending = Gauge("db_mirror_tables_pending", "Tables whose first copy is not complete.")
differing_rows = Gauge("db_mirror_differing_rows", "Rows not alike in the last comparison.")
last_check = Gauge(
    "db_mirror_check_last_success_timestamp_seconds", "When all was last compared and alike."
)
