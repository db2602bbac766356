from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.throttle.models import AttemptRow, KnownNetwork, NetworkAttemptRow
from services.auth.throttle.rules import NEVER_BLOCKED, Kind, Tally

# One statement finds or makes a row and holds it: between two, whoever just proved himself could
# have the row forgotten. What the session saw of it before does not count.
_AS_IT_IS = {"populate_existing": True}


async def lock_tally(session: AsyncSession, kind: Kind, key: bytes, now: datetime) -> AttemptRow:
    """Return the row of these attempts, made if need be, held until the transaction ends."""
    found = insert(AttemptRow).values({"kind": kind, "key": key} | _none_yet(now))
    held = found.on_conflict_do_update(
        constraint="attempts_pkey", set_={"attempts": AttemptRow.attempts}
    )
    return (await session.scalars(held.returning(AttemptRow), execution_options=_AS_IT_IS)).one()


async def lock_network_tally(
    session: AsyncSession, network: bytes, now: datetime
) -> NetworkAttemptRow:
    """Return the row of a network, made if need be, held until the transaction ends."""
    found = insert(NetworkAttemptRow).values({"network": network} | _none_yet(now))
    held = found.on_conflict_do_update(
        constraint="network_attempts_pkey", set_={"attempts": NetworkAttemptRow.attempts}
    )
    returned = held.returning(NetworkAttemptRow)
    return (await session.scalars(returned, execution_options=_AS_IT_IS)).one()


async def forget(session: AsyncSession, kind: Kind, keys: Sequence[bytes]) -> None:
    await session.execute(
        delete(AttemptRow).where(AttemptRow.kind == kind, AttemptRow.key.in_(keys))
    )


async def take_one_back(session: AsyncSession, network: bytes) -> None:
    """Count one attempt less from a network: it was none of a guesser."""
    await session.execute(
        update(NetworkAttemptRow)
        .where(NetworkAttemptRow.network == network, NetworkAttemptRow.attempts > 0)
        .values(attempts=NetworkAttemptRow.attempts - 1)
    )


async def list_known_networks(session: AsyncSession, user_id: UUID) -> Sequence[bytes]:
    """Return the networks that a user has signed in from, the last seen first."""
    query = (
        select(KnownNetwork.network)
        .where(KnownNetwork.user_id == user_id)
        .order_by(KnownNetwork.last_seen_at.desc(), KnownNetwork.network)
    )
    return (await session.scalars(query)).all()


async def remember_network(
    session: AsyncSession, user_id: UUID, network: bytes, now: datetime
) -> None:
    seen = insert(KnownNetwork).values(user_id=user_id, network=network, last_seen_at=now)
    await session.execute(
        seen.on_conflict_do_update(constraint="known_networks_pkey", set_={"last_seen_at": now})
    )


async def forget_networks(session: AsyncSession, user_id: UUID, networks: Sequence[bytes]) -> None:
    await session.execute(
        delete(KnownNetwork).where(
            KnownNetwork.user_id == user_id, KnownNetwork.network.in_(networks)
        )
    )


def note(row: AttemptRow | NetworkAttemptRow, tally: Tally) -> None:
    """Write what a row counts from now on."""
    row.attempts = tally.attempts
    row.attempted_at = tally.attempted_at
    row.blocked_until = tally.blocked_until


def tally_of(row: AttemptRow | NetworkAttemptRow) -> Tally:
    """Return what a row counts."""
    return Tally(row.attempts, row.attempted_at, row.blocked_until)


def _none_yet(now: datetime) -> dict[str, Any]:
    return {"attempts": 0, "attempted_at": now, "blocked_until": NEVER_BLOCKED}
