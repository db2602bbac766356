"""Tokens that somebody gets by mail: made, and redeemed once."""

import hmac
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.one_time import queries
from services.auth.one_time.errors import OneTimeTokenInvalid
from services.auth.one_time.models import OneTimeToken
from services.auth.one_time.rules import GOOD_AT_ONCE, LIFETIMES, PREFIX, Purpose
from services.auth.secret_text import SecretText
from services.auth.users import service as users
from services.auth.users.models import User
from services.auth.vault import Vault
from shared.ids import new_id
from shared.security.sealing import SealBroken, place

EMAIL = "auth.one_time_tokens.email"


async def issue(
    session: AsyncSession,
    user: User,
    purpose: Purpose,
    *,
    email: str | None = None,
    vault: Vault,
    now: datetime,
) -> str:
    """Return a new token for the user; of earlier ones, as many stay good as GOOD_AT_ONCE says.

    `email`: the address that it is sent to, where that is to become the user's.
    """
    await queries.remove_earlier(session, user.id, purpose, keep=GOOD_AT_ONCE[purpose] - 1)
    text = SecretText.new(PREFIX, user.tenant_id, new_id())
    at = place(EMAIL, user.tenant_id, text.row_id)
    session.add(
        OneTimeToken(
            id=text.row_id,
            user_id=user.id,
            purpose=purpose,
            secret_index=text.index(vault.one_time_pepper),
            email_sealed=None if email is None else vault.sealer.seal(email.encode(), at),
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
    """Use a token up, with all of its purpose, and return its user, locked.

    Raises OneTimeTokenInvalid.
    """
    _, user = await _find(session, said, purpose, vault=vault, now=now)
    await queries.remove_earlier(session, user.id, purpose)
    return user


async def redeem_address(
    session: AsyncSession, said: SecretText, *, vault: Vault, now: datetime
) -> tuple[User, str]:
    """Use a token up; return its user, locked, and the address it went to.

    Raises OneTimeTokenInvalid.
    """
    token, user = await _find(session, said, "address", vault=vault, now=now)
    await session.delete(token)
    email = address_of(token, vault=vault)
    if email is None:
        raise OneTimeTokenInvalid
    return user, email


def address_of(token: OneTimeToken, *, vault: Vault) -> str | None:
    """Return the address that a token went to, if that is to be the user's and can be read."""
    if token.email_sealed is None:
        return None
    try:
        at = place(EMAIL, token.tenant_id, token.id)
        return vault.sealer.open(token.email_sealed, at).decode()
    except SealBroken:
        return None


async def look_at(
    session: AsyncSession, said: SecretText, purpose: Purpose, *, vault: Vault, now: datetime
) -> User:
    """Return the user of a token that is good, and stays so. Raises OneTimeTokenInvalid."""
    _, user = await _find(session, said, purpose, vault=vault, now=now)
    return user


async def _find(
    session: AsyncSession, said: SecretText, purpose: Purpose, *, vault: Vault, now: datetime
) -> tuple[OneTimeToken, User]:
    user_id = await queries.find_user_id(session, said.row_id)
    # First the user, then the token: whoever removes a user's tokens holds him already.
    user = None if user_id is None else await users.find_user(session, user_id, lock=True)
    token = await queries.lock_token(session, said.row_id)
    index = said.index(vault.one_time_pepper)
    if user is None or token is None or not hmac.compare_digest(token.secret_index, index):
        raise OneTimeTokenInvalid
    is_over = token.expires_at <= now or token.purpose != purpose
    if is_over or user.token_version != token.token_version:
        raise OneTimeTokenInvalid
    return token, user


async def withdraw(session: AsyncSession, user: User, purpose: Purpose) -> None:
    """Let a token that was sent be good no more."""
    await queries.remove_earlier(session, user.id, purpose)


async def withdraw_all(session: AsyncSession, user: User) -> None:
    """Let every token that was sent to the user be good no more."""
    await queries.remove_all(session, user.id)
