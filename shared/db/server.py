"""What is to be known of the database server itself, before it stops: ids, archive, slots, disk."""

import shutil
from pathlib import Path

from prometheus_client import Gauge
from sqlalchemy import text

from shared.db.database import Database

transaction_age = Gauge(
    "db_server_transaction_id_age",
    "Transactions since the oldest id that is not frozen; the server stops near 2^31.",
)
connections = Gauge("db_server_connections", "Connections to the server, of everybody.")
connections_max = Gauge("db_server_connections_max", "Connections that the server allows.")
archive_failing = Gauge(
    "db_server_archive_failing", "1 while the last try to archive a segment of WAL failed."
)
archived_at = Gauge(
    "db_server_archived_timestamp_seconds", "When a segment of WAL was last archived; 0: never."
)
wal_position = Gauge("db_server_wal_position_bytes", "How much WAL was ever written.")
slot_active = Gauge("db_server_slot_active", "1 while somebody reads from the slot.", ["slot"])
slot_lost = Gauge("db_server_slot_lost", "1 where WAL that the slot needs is gone.", ["slot"])
slot_retained = Gauge("db_server_slot_retained_bytes", "WAL kept for the slot.", ["slot"])
disk_free = Gauge(
    "disk_free_ratio", "Free part of the disk that a folder of ours lies on.", ["folder"]
)


async def watch_server(database: Database) -> None:
    """Bring the gauges of the server up to date."""
    async with database.engine.connect() as connection:
        server = (await connection.execute(_SERVER)).one()
        slots = (await connection.execute(_SLOTS)).all()
    transaction_age.set(server.transaction_age)
    connections.set(server.connections)
    connections_max.set(server.connections_max)
    archive_failing.set(server.archive_failing)
    archived_at.set(server.archived_at)
    wal_position.set(server.wal_position)
    for gauge in (slot_active, slot_lost, slot_retained):
        gauge.clear()
    for slot in slots:
        slot_active.labels(slot.name).set(slot.active)
        slot_lost.labels(slot.name).set(slot.lost)
        slot_retained.labels(slot.name).set(slot.retained)


def watch_disk(folder: Path | None) -> None:
    """Bring the gauge of the disk up to date on which a folder lies."""
    if folder is not None and folder.is_dir():
        usage = shutil.disk_usage(folder)
        disk_free.labels(folder.name).set(usage.free / usage.total)


# On a standby there is no present WAL position; what it has replayed stands for it.
_POSITION = """
    CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END"""
_SERVER = text(f"""
    SELECT (SELECT max(age(datfrozenxid)) FROM pg_database) AS transaction_age,
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')
               AS connections,
           current_setting('max_connections')::int AS connections_max,
           coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false)
               AS archive_failing,
           coalesce(extract(epoch FROM last_archived_time), 0) AS archived_at,
           pg_wal_lsn_diff({_POSITION}, '0/0') AS wal_position
    FROM pg_stat_archiver""")  # noqa: S608  A constant of ours.
_SLOTS = text(f"""
    SELECT slot_name AS name, active, coalesce(wal_status = 'lost', false) AS lost,
           coalesce(pg_wal_lsn_diff({_POSITION}, restart_lsn), 0) AS retained
    FROM pg_replication_slots WHERE NOT temporary""")  # noqa: S608  A constant of ours.
