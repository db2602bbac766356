"""The one place that opens a connection to PostgreSQL."""

import ssl
from typing import Any

import asyncpg


async def connect(
    dsn: str,
    secured: ssl.SSLContext | None,
    **options: Any,  # noqa: ANN401 - asyncpg's own.
) -> asyncpg.Connection:
    """Return a connection over TLS that checks certificate and name, or one in the clear.

    Never what lies between: left to itself, asyncpg takes whatever certificate it is shown, or
    none. A socket of this machine needs no TLS and has none.
    """
    return await asyncpg.connect(dsn, ssl=secured or False, **options)
