"""What `preflight` asks of the database server."""

from collections.abc import Mapping

import asyncpg

from deploy.operator.report import Finding, Findings
from shared.clock import utc_now

VERSION_MIN = 150_000
CONNECTIONS_MIN = 320
CLOCK_S = 5.0
# Without any of these what was acknowledged may be gone, or a password be read on its way.
ON = {
    "fsync": "fsync=on, or a crash loses what was acknowledged",
    "full_page_writes": "full_page_writes=on, or a crash tears pages",
    "synchronous_commit": "synchronous_commit=on, or a crash loses what was acknowledged",
}
_SETTINGS = """
    SELECT name, setting FROM pg_settings WHERE name IN (
        'server_version', 'server_version_num', 'fsync', 'full_page_writes', 'synchronous_commit',
        'wal_level', 'max_slot_wal_keep_size', 'max_connections', 'password_encryption',
        'data_checksums')"""


async def examine_server(connection: asyncpg.Connection) -> list[Finding]:
    """Return how the server is set, and whether its clock is ours."""
    rows = await connection.fetch(_SETTINGS)
    before = utc_now()
    there = await connection.fetchval("SELECT clock_timestamp()")
    found = Findings()
    judge_settings({row["name"]: row["setting"] for row in rows}, found)
    apart = abs((there - before).total_seconds())
    found.check("clock of the server", apart < CLOCK_S, f"{apart:.1f} s apart", "set both by NTP")
    return found.found


def judge_settings(given: Mapping[str, str], found: Findings) -> None:
    """Note how the server's settings are."""
    version = given["server_version"]
    is_new = int(given["server_version_num"]) >= VERSION_MIN
    found.check("PostgreSQL", is_new, version, "15 or newer is needed")
    for name, advice in ON.items():
        found.check(name, given[name] == "on", given[name], advice)
    level = given["wal_level"]
    found.check(
        "wal_level", level in {"replica", "logical"}, level, "replica, or there is no backup"
    )
    kept = given["max_slot_wal_keep_size"]
    found.check(
        "max_slot_wal_keep_size", kept != "-1", kept,
        "bound it, to a quarter of the free disk: a backup that stands still fills the disk",
    )  # fmt: skip
    connections = int(given["max_connections"])
    found.check(
        "max_connections", connections >= CONNECTIONS_MIN, str(connections),
        f"{CONNECTIONS_MIN}, or smaller pools", else_="warn",
    )  # fmt: skip
    form = given["password_encryption"]
    found.check("password_encryption", form == "scram-sha-256", form, "scram-sha-256")
    sums = given["data_checksums"]
    found.check(
        "data_checksums", sums == "on", sums, "pg_checksums --enable, while it is stopped",
        else_="warn",
    )  # fmt: skip
