"""Applying a run of entries of one tenant: all at once, or each as far as it can be."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from shared.journal.aside import (
    Failure,
    FeedEntry,
    NoObjectError,
    UnknownVersionError,
    is_transient,
)

Handler = Callable[[AsyncSession, Sequence[FeedEntry]], Awaitable[None]]
_VERSION = re.compile(r"\.v[0-9]+$")


@dataclass(frozen=True, slots=True)
class Follower:
    """Whose journal, which entries, and what to do with them.

    `apply` gets entries of these types, `copy` every entry as it is, and perhaps again. Both get
    entries of one tenant, as the feed gives them, in order, in a transaction that works for that
    tenant.
    """

    producer: str
    types: frozenset[str] = frozenset()
    apply: Handler | None = None
    copy: Handler | None = None


class _NotCopiedError(Exception):
    """An entry must not be applied before it is copied."""


async def apply_whole(
    session: AsyncSession, follower: Follower, entries: Sequence[FeedEntry]
) -> None:
    """Apply entries of the session's tenant. Raises what any of them brings up."""
    await _copy(session, follower, entries)
    await _apply(session, follower, entries)


async def apply_apart(
    session: AsyncSession, follower: Follower, entries: Sequence[FeedEntry], blocked: set[str]
) -> list[Failure]:
    """Apply what can be applied of the session's tenant's entries; return the rest in its order.

    The rest is what fails, and what comes after it, or after `blocked`, about the same subject.
    Raises what says nothing of the entries, as when the database is away.
    """

    async def copy(session: AsyncSession, run: Sequence[FeedEntry]) -> None:
        await _copy(session, follower, run)

    async def apply(session: AsyncSession, run: Sequence[FeedEntry]) -> None:
        if any(_place(entry) in not_copied for entry in run):
            raise _NotCopiedError
        await _apply(session, follower, run)

    not_copied = _by_place(await _halve(session, copy, entries, set()))
    wanted = [entry for entry in entries if _concerns(follower, entry)]
    not_applied = _by_place(await _halve(session, apply, wanted, set(blocked)))
    failures = not_applied | not_copied  # Why it was not copied is why it was not applied.
    return [failures[place] for place in sorted(failures)]


async def _halve(
    session: AsyncSession, handle: Handler, entries: Sequence[FeedEntry], blocked: set[str]
) -> list[Failure]:
    """Handle entries under a savepoint, and on an error each half of them, down to the culprit.

    Adds the culprits' subjects to `blocked`: what comes later about them is not tried.
    """
    waiting = [Failure(entry) for entry in entries if entry["subject"] in blocked]
    free = [entry for entry in entries if entry["subject"] not in blocked]
    if not free:
        return waiting
    try:
        async with session.begin_nested():
            await handle(session, free)
    except Exception as error:
        if is_transient(error):
            raise
        if len(free) == 1:
            blocked.add(free[0]["subject"])
            return [*waiting, Failure.of(free[0], error)]
    else:
        return waiting
    middle = len(free) // 2
    for half in (free[:middle], free[middle:]):
        waiting += await _halve(session, handle, half, blocked)
    return waiting


def _place(entry: FeedEntry) -> tuple[int, int]:
    return entry["xid"], entry["seq"]


def _by_place(failures: Sequence[Failure]) -> dict[tuple[int, int], Failure]:
    return {_place(failure.entry): failure for failure in failures}


async def _copy(session: AsyncSession, follower: Follower, entries: Sequence[FeedEntry]) -> None:
    """Copy the entries. Raises NoObjectError: whoever reads the copies reads objects."""
    if follower.copy is None:
        return
    if not all(isinstance(entry["data"], dict) for entry in entries):
        raise NoObjectError("data is no object")
    await follower.copy(session, entries)


async def _apply(session: AsyncSession, follower: Follower, entries: Sequence[FeedEntry]) -> None:
    """Apply those that concern the follower. Raises UnknownVersionError."""
    wanted = [entry for entry in entries if _concerns(follower, entry)]
    for entry in wanted:
        if entry["type"] not in follower.types:
            raise UnknownVersionError(entry["type"])
    if wanted and follower.apply is not None:
        await follower.apply(session, wanted)


def _concerns(follower: Follower, entry: FeedEntry) -> bool:
    """Say whether the entry is of a type that the follower applies, in whatever version."""
    if entry["type"] in follower.types:
        return True
    kind = _VERSION.sub("", entry["type"])
    return any(_VERSION.sub("", known) == kind for known in follower.types)
