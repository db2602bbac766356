"""Cutting over: from one moment on the mirror is the database, and the old one is read only."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import asyncpg

from deploy.mirror.checking import CheckResult, catch_up, check
from deploy.mirror.errors import MirrorError
from deploy.mirror.servers import (
    APP_ROLES,
    INSERTS,
    ROWS,
    SUBSCRIPTION,
    WRITERS,
    Ends,
    connected,
    freeze,
    is_frozen,
    thaw,
)
from deploy.mirror.status import require_following
from deploy.mirror.tables import SCHEMAS
from deploy.postgres.journal_bases import raise_journal_bases

Say = Callable[[str], None]
FINAL_CATCH_UP_S = 30.0  # Frozen all that time; a mirror further behind is not ready to take over.


@dataclass
class CutOver:
    """What was done, for the record."""

    check: CheckResult = field(default_factory=CheckResult)
    sequences: dict[str, int] = field(default_factory=dict)
    journal_bases: dict[str, int] = field(default_factory=dict)
    frozen_s: float = 0.0


async def cut_over(ends: Ends, say: Say) -> CutOver:
    """Freeze, let the mirror catch up, compare, hand over. Raises MirrorError.

    Until both were found alike nothing is changed but the freeze, which is taken back where
    anything fails; the primary then goes on as before. One that was killed after that is
    finished by running it again.
    """
    done = CutOver()
    if await _is_handed_over(ends):
        async with connected(ends.mirror, ends.database) as mirror:
            await thaw(mirror, WRITERS)
        say("Finished     what an earlier cut-over had begun")
        return done
    await require_following(ends)
    async with (
        connected(ends.primary, ends.database) as primary,
        connected(ends.mirror, ends.database) as mirror,
    ):
        began = time.monotonic()
        say("Freezing     nobody writes on the primary from now on")
        await freeze(primary, WRITERS)
        try:
            done.check = await _prove_alike(ends, primary, say)
            done.sequences = await _copy_sequences(primary, mirror)
            say(f"Sequences    {len(done.sequences)} set")
            done.journal_bases = await raise_journal_bases(mirror)
            say("Journals     go on above what they hold")
        except BaseException:
            await thaw(primary, WRITERS)
            say("Thawed       the primary goes on as before")
            raise
        # From here there is no way back but forward: the mirror is whole, and follows no more.
        await mirror.execute(f"DROP SUBSCRIPTION {SUBSCRIPTION}")
        await thaw(mirror, WRITERS)
        for name in (ROWS, INSERTS):
            await primary.execute(f"DROP PUBLICATION IF EXISTS {name}")
        done.frozen_s = time.monotonic() - began
    return done


async def call_off(ends: Ends) -> None:
    """Let the primary write again. Raises MirrorError where the mirror has taken over."""
    async with connected(ends.mirror, ends.database) as mirror:
        if not await mirror.fetchval(_HAS_SUBSCRIPTION, SUBSCRIPTION):
            raise MirrorError("The mirror has taken over: writing on both would part them.")
    async with connected(ends.primary, ends.database) as primary:
        await thaw(primary, WRITERS)


async def give_up(ends: Ends) -> None:
    """Let the mirror follow no more: its subscription and its slot go, its rows stay.

    Raises MirrorError, also where the mirror is gone: the slot is dropped all the same.
    """
    async with connected(ends.primary, ends.database) as primary:
        if await is_frozen(primary, WRITERS):
            raise MirrorError("The primary is frozen: finish the cut-over, or call it off.")
        try:
            async with connected(ends.mirror, ends.database) as mirror:
                await _drop_subscription(mirror)
        finally:  # Where the mirror is gone, the primary keeps its log for nobody.
            await primary.fetch(_END_SENDER, SUBSCRIPTION)
            await primary.fetch(_DROP_SLOT, SUBSCRIPTION)


async def _is_handed_over(ends: Ends) -> bool:
    """Say whether the mirror follows no more while nobody may write on either."""
    async with (
        connected(ends.primary, ends.database) as primary,
        connected(ends.mirror, ends.database) as mirror,
    ):
        if await mirror.fetchval(_HAS_SUBSCRIPTION, SUBSCRIPTION):
            return False
        return await is_frozen(primary, WRITERS) and await is_frozen(mirror, APP_ROLES)


async def _prove_alike(ends: Ends, primary: asyncpg.Connection, say: Say) -> CheckResult:
    lsn = await catch_up(primary, FINAL_CATCH_UP_S)
    say(f"Caught up    the mirror has all up to {lsn}")
    found = await check(ends)
    if not found.ok:
        tables = ", ".join(f"{name} ({count})" for name, count in found.differing.items())
        raise MirrorError(f"The mirror differs in {tables}; `check` names the rows.")
    say(f"Compared     {found.tables} tables, {found.rows:,} rows: alike")
    return found


async def _copy_sequences(
    primary: asyncpg.Connection, mirror: asyncpg.Connection
) -> dict[str, int]:
    """Set each sequence of the mirror to where the primary's stands."""
    copied = {}
    for row in await primary.fetch(_SEQUENCES, SCHEMAS):
        name = row["name"]
        state = await primary.fetchrow(f"SELECT last_value, is_called FROM {name}")  # noqa: S608 - a name from the catalogue.
        await mirror.execute(
            "SELECT setval($1::text::regclass, $2, $3)",
            name,
            state["last_value"],
            state["is_called"],
        )
        copied[name] = state["last_value"]
    return copied


async def _drop_subscription(mirror: asyncpg.Connection) -> None:
    if await mirror.fetchval(_HAS_SUBSCRIPTION, SUBSCRIPTION):
        # Of a slot that is lost, or a primary that is gone, the mirror could not drop its part.
        await mirror.execute(f"ALTER SUBSCRIPTION {SUBSCRIPTION} DISABLE")
        await mirror.execute(f"ALTER SUBSCRIPTION {SUBSCRIPTION} SET (slot_name = NONE)")
        await mirror.execute(f"DROP SUBSCRIPTION {SUBSCRIPTION}")


_SEQUENCES = """
    SELECT c.oid::regclass::text AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY($1) AND c.relkind = 'S' ORDER BY 1"""
_HAS_SUBSCRIPTION = """
    SELECT 1 FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
    WHERE s.subname = $1 AND d.datname = current_database()"""
_END_SENDER = """
    SELECT pg_terminate_backend(active_pid, 10000) FROM pg_replication_slots
    WHERE slot_name = $1 AND active_pid IS NOT NULL"""
_DROP_SLOT = """
    SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1"""
