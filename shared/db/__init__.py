"""One service's database: sessions for most work, a plain asyncpg path for the hot statements."""

from shared.db.base import Base
from shared.db.conflicts import conflicts
from shared.db.database import Database, OpenFor, Stamp, driver_connection, get_database_time

__all__ = [
    "Base",
    "Database",
    "OpenFor",
    "Stamp",
    "conflicts",
    "driver_connection",
    "get_database_time",
]
