"""Numbering of journals on a server that others' entries were brought to."""

import asyncpg

from deploy.postgres.bootstrap import SERVICES


async def raise_journal_bases(connection: asyncpg.Connection) -> dict[str, int]:
    """Let every journal number its entries above those it holds; return what each adds now.

    Without it a server whose transaction ids stand lower would show none of the entries that
    came from another (ADR 0004).
    """
    bases = {}
    async with connection.transaction():
        for service in SERVICES:
            greatest = await connection.fetchval(
                f"SELECT max(xid)::text::bigint FROM {service}.journal"  # noqa: S608 - our own name.
            )
            base = await connection.fetchval(f"SELECT {service}.journal_base()")
            bases[service] = max(greatest or 0, base)
            await connection.execute(
                f"CREATE OR REPLACE FUNCTION {service}.journal_base() RETURNS bigint "
                f"LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN {bases[service]}::bigint"
            )
    return bases
