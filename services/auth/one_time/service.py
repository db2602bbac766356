"""Tokens that somebody gets by mail: made, and redeemed once."""

import hmac
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.one_time import queries
from services.auth.one_time.errors import OneTimeTokenInvalid
from services.auth.one_time.models import OneTimeToken
from services.auth.one_time.rules import LIFETIMES, PREFIX, Purpose
from services.auth.secret_text import SecretText
from services.auth.users import service as users
from services.auth.users.models import User
from services.auth.vault import Vault
from shared.ids import new_id


async def issue(
    session: AsyncSession, user: User, purpose: Purpose, *, vault: Vault, now: datetime
) -> str:
    """Return a new token for the user; an earlier one of the same purpose is good no more."""
    await queries.remove_earlier(session, user.id, purpose)
    text = SecretText.new(PREFIX, user.tenant_id, new_id())
    session.add(
        OneTimeToken(
            id=text.row_id,
            user_id=user.id,
            purpose=purpose,
            secret_index=text.index(vault.one_time_pepper),
            token_version=user.token_version,
            expires_at=now + LIFETIMES[purpose],
        )
    )
    await session.flush()
    return str(text)


def read(text: str) -> SecretText:
    """Return what a token says of itself. Raises OneTimeTokenInvalid."""
    said = SecretText.read(PREFIX, text)
    if said is None:
        raise OneTimeTokenInvalid
    return said


async def redeem(
    session: AsyncSession, said: SecretText, purpose: Purpose, *, vault: Vault, now: datetime
) -> User:
    """Use a token up and return its user, locked. Raises OneTimeTokenInvalid."""
    token, user = await _find(session, said, purpose, vault=vault, now=now)
    await session.delete(token)
    return user


async def look_at(
    session: AsyncSession, said: SecretText, purpose: Purpose, *, vault: Vault, now: datetime
) -> User:
    """Return the user of a token that is good, and stays so. Raises OneTimeTokenInvalid."""
    _, user = await _find(session, said, purpose, vault=vault, now=now)
    return user


async def _find(
    session: AsyncSession, said: SecretText, purpose: Purpose, *, vault: Vault, now: datetime
) -> tuple[OneTimeToken, User]:
    token = await queries.lock_token(session, said.row_id)
    index = said.index(vault.one_time_pepper)
    if token is None or not hmac.compare_digest(token.secret_index, index):
        raise OneTimeTokenInvalid
    user = await users.find_user(session, token.user_id, lock=True)
    is_over = token.expires_at <= now or token.purpose != purpose
    if user is None or is_over or user.token_version != token.token_version:
        raise OneTimeTokenInvalid
    return token, user


async def withdraw(session: AsyncSession, user: User, purpose: Purpose) -> None:
    """Let a token that was sent be good no more."""
    await queries.remove_earlier(session, user.id, purpose)
