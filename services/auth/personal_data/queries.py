from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.api_keys.models import ApiKey
from services.auth.factors.models import Passkey
from services.auth.one_time.models import OneTimeToken
from services.auth.scim.models import ProvisionedUser
from services.auth.sessions.models import UserSession


class OwnRows(NamedTuple):
    """What is kept of a person in rows of several tables."""

    sessions: Sequence[UserSession]
    api_keys: Sequence[ApiKey]
    passkeys: Sequence[Passkey]
    tokens: Sequence[OneTimeToken]
    directory: ProvisionedUser | None


async def list_own_rows(session: AsyncSession, user_id: UUID) -> OwnRows:
    """Return a person's rows, those that have ended too, the oldest first."""
    sessions = select(UserSession).where(UserSession.user_id == user_id).order_by(UserSession.id)
    keys = select(ApiKey).where(ApiKey.user_id == user_id).order_by(ApiKey.id)
    passkeys = select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id)
    tokens = select(OneTimeToken).where(OneTimeToken.user_id == user_id).order_by(OneTimeToken.id)
    directory = select(ProvisionedUser).where(ProvisionedUser.user_id == user_id)
    return OwnRows(
        (await session.scalars(sessions)).all(),
        (await session.scalars(keys)).all(),
        (await session.scalars(passkeys)).all(),
        (await session.scalars(tokens)).all(),
        await session.scalar(directory),
    )


async def list_facts(session: AsyncSession, user_id: UUID) -> RowMapping:
    """Return what else is known of a person: factors, link to a provider, networks."""
    return (await session.execute(_FACTS, {"id": user_id})).mappings().one()


async def list_profile_entries(session: AsyncSession, user_id: UUID) -> Sequence[RowMapping]:
    """Return what the journal has of the person's profile and addresses, the oldest first."""
    rows = await session.execute(_PROFILES, {"subject": f"user:{user_id}"})
    return rows.mappings().all()


async def count_entries(
    session: AsyncSession, actors: Sequence[str], subjects: Sequence[str]
) -> Mapping[str, int | datetime | None]:
    """Return how many entries auth's journal has by these actors and about these subjects."""
    rows = await session.execute(_ENTRIES, {"actors": [*actors], "subjects": [*subjects]})
    return dict(rows.mappings().one())


async def remove_rows(session: AsyncSession, user_id: UUID) -> None:
    """Remove all rows of a person, who has just been erased, but his own."""
    await session.execute(_REMOVE_ROWS, {"id": user_id})


async def forget_answers(session: AsyncSession) -> None:
    """Forget what the tenant's Idempotency-Keys were answered with: it may tell who somebody is.

    The keys stay: what they were sent with is not done again.
    """
    await session.execute(_FORGET_ANSWERS)


_FACTS = text("""
    SELECT (SELECT confirmed_at FROM authenticators WHERE user_id = :id) AS authenticator_since,
           (SELECT count(*) FROM recovery_codes WHERE user_id = :id AND used_at IS NULL)
               AS recovery_codes_left,
           (SELECT issuer FROM identity_providers) AS issuer,
           (SELECT linked_at FROM identity_links WHERE user_id = :id) AS linked_at,
           (SELECT count(*) FROM known_networks WHERE user_id = :id) AS known_networks,
           (SELECT requested_at FROM factor_recoveries WHERE user_id = :id)
               AS factor_recovery_requested_at""")
_PROFILES = text("""
    SELECT recorded_at, data FROM journal
    WHERE subject = :subject
      AND type IN ('auth.user-profile-changed.v1', 'auth.user-address-changed.v1')
    ORDER BY seq""")
_ENTRIES = text("""
    SELECT count(*) FILTER (WHERE actor = ANY (:actors)) AS by_person,
           count(*) FILTER (WHERE subject = ANY (:subjects)) AS about_person,
           min(recorded_at) AS first_at, max(recorded_at) AS last_at
    FROM journal WHERE actor = ANY (:actors) OR subject = ANY (:subjects)""")
_FORGET_ANSWERS = text("UPDATE idempotency_keys SET answer = NULL WHERE answer IS NOT NULL")
_REMOVE_ROWS = text("SELECT remove_rows_of_erased(:id)")
