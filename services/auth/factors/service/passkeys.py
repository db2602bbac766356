"""Passkeys: challenges that are good once, and credentials that answer them."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from webauthn import generate_authentication_options, generate_registration_options
from webauthn.helpers import options_to_json_dict
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from services.auth.factors import queries
from services.auth.factors.errors import (
    PasskeyKnown,
    PasskeyLimit,
    PasskeyNotFound,
    PasskeyRefused,
    PasskeysUnavailable,
)
from services.auth.factors.models import Passkey, PasskeyChallenge
from services.auth.factors.rules import (
    CHALLENGE_BYTES,
    CHALLENGE_LIFETIME,
    PASSKEYS_MAX,
    ChallengePurpose,
    Method,
    has_gone_back,
)
from services.auth.factors.service import ceremonies
from services.auth.factors.service.ceremonies import ChallengeAnswer, Party
from services.auth.vault import Vault
from shared import journal
from shared.contracts.auth.factors import PasskeyAdded, PasskeyRemoved, PasskeyWentBack
from shared.db.conflicts import conflicts
from shared.ids import new_id
from shared.log import log
from shared.security.sealing import SealBroken, place

NAME = "auth.passkeys.name"
_TIMEOUT_MS = int(CHALLENGE_LIFETIME.total_seconds() * 1000)


async def begin_passkey(
    session: AsyncSession,
    user_id: UUID,
    *,
    account: str,
    service_name: str,
    bound_to: UUID,
    vault: Vault,
    now: datetime,
) -> dict[str, Any]:
    """Return the options of `navigator.credentials.create`, for this session or sign-in alone.

    Raises PasskeysUnavailable, PasskeyLimit.
    """
    party, have = _party(vault), await queries.list_passkeys(session, user_id)
    if len(have) >= PASSKEYS_MAX:
        raise PasskeyLimit(maximum=PASSKEYS_MAX)
    options = generate_registration_options(
        rp_id=party.rp_id,
        rp_name=service_name,
        user_id=user_id.bytes,
        user_name=account,
        challenge=await _issue(session, user_id, "registration", bound_to, now),
        timeout=_TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_descriptors(have),
    )
    return options_to_json_dict(options)


async def ask_for_passkey(
    session: AsyncSession, user_id: UUID, *, bound_to: UUID | None, vault: Vault, now: datetime
) -> dict[str, Any] | None:
    """Return the options of `navigator.credentials.get`; `bound_to` is the session, if there is.

    None where passkeys are not set up any more: another factor must do.
    """
    party = _find_party(vault)
    if party is None:
        return None
    options = generate_authentication_options(
        rp_id=party.rp_id,
        challenge=await _issue(session, user_id, "proof", bound_to, now),
        timeout=_TIMEOUT_MS,
        allow_credentials=_descriptors(await queries.list_passkeys(session, user_id)),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


async def spend_challenge(
    session: AsyncSession,
    user_id: UUID,
    purpose: ChallengePurpose,
    credential: str,
    *,
    bound_to: UUID | None,
    now: datetime,
) -> ChallengeAnswer | None:
    """Return a credential with the challenge that it answers, which is spent by that; or None.

    It must be this user's, for this purpose and session, and of the last five minutes. The
    transaction must end with a commit, whatever becomes of the credential.
    """
    challenge = ceremonies.challenge_in(credential)
    if challenge is None:
        return None
    is_spent = await queries.spend_challenge(
        session, user_id, purpose, _index(challenge), bound_to=bound_to, now=now
    )
    return ChallengeAnswer(credential, challenge) if is_spent else None


async def add_passkey(
    session: AsyncSession,
    user_id: UUID,
    tenant_id: UUID,
    answer: ChallengeAnswer,
    *,
    name: str,
    vault: Vault,
    now: datetime,
) -> Passkey:
    """Take a passkey into use that answered a challenge which was spent for it.

    The caller holds the user's row. Raises PasskeysUnavailable, PasskeyRefused, PasskeyLimit,
    PasskeyKnown.
    """
    registered = ceremonies.registered(answer, _party(vault))
    if registered is None:
        raise PasskeyRefused
    made = registered.made
    if len(await queries.list_passkeys(session, user_id)) >= PASSKEYS_MAX:
        raise PasskeyLimit(maximum=PASSKEYS_MAX)
    passkey_id = new_id()
    passkey = Passkey(
        id=passkey_id,
        user_id=user_id,
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        transports=registered.transports,
        name_sealed=vault.sealer.seal(name.encode(), place(NAME, tenant_id, passkey_id)),
        created_at=now,
    )
    session.add(passkey)
    with conflicts({"passkeys_credential": PasskeyKnown()}):
        await session.flush()
    journal.record(session, PasskeyAdded(user_id=user_id, passkey_id=passkey_id))
    return passkey


async def check_passkey(
    session: AsyncSession,
    user_id: UUID,
    credential: str,
    *,
    bound_to: UUID | None,
    vault: Vault,
    now: datetime,
) -> Method | None:
    """Return the method if a passkey of the user signed a challenge that was asked for; or None.

    Whatever comes of it, the challenge is spent, and the caller has counted the attempt.
    """
    answer = await spend_challenge(
        session, user_id, "proof", credential, bound_to=bound_to, now=now
    )
    party, credential_id = _find_party(vault), ceremonies.credential_id_in(credential)
    if answer is None or party is None or credential_id is None:
        return None
    passkey = await queries.lock_passkey_of(session, user_id, credential_id)
    if passkey is None:
        return None
    signed = ceremonies.asserted(answer, party, public_key=passkey.public_key)
    if signed is None or not ceremonies.is_made_for(user_id, credential):
        return None
    if has_gone_back(passkey.sign_count, signed.new_sign_count):
        journal.record(session, PasskeyWentBack(user_id=user_id, passkey_id=passkey.id))
        log.warning("a passkey's counter went back", user_id=user_id, passkey_id=passkey.id)
        return None
    passkey.sign_count, passkey.last_used_at = signed.new_sign_count, now
    return "hwk"


async def list_passkeys(session: AsyncSession, user_id: UUID) -> Sequence[Passkey]:
    """Return the user's passkeys, the oldest first."""
    return await queries.list_passkeys(session, user_id)


async def get_passkey(session: AsyncSession, user_id: UUID, passkey_id: UUID) -> Passkey:
    """Return a passkey of the user. Raises PasskeyNotFound."""
    found = await queries.find_passkey(session, user_id, passkey_id)
    if found is None:
        raise PasskeyNotFound
    return found


def name_of(passkey: Passkey, *, vault: Vault) -> str | None:
    """Return what the user calls it, or None where that cannot be read."""
    try:
        at = place(NAME, passkey.tenant_id, passkey.id)
        return vault.sealer.open(passkey.name_sealed, at).decode()
    except SealBroken:
        log.error("a passkey's name cannot be opened", passkey_id=passkey.id)
        return None


def rename_passkey(passkey: Passkey, name: str, *, vault: Vault) -> None:
    """Give a passkey another name."""
    at = place(NAME, passkey.tenant_id, passkey.id)
    passkey.name_sealed = vault.sealer.seal(name.encode(), at)


async def remove_passkey(session: AsyncSession, passkey: Passkey) -> None:
    """Let a passkey be good for nothing from now on."""
    await session.delete(passkey)
    await session.flush()  # What is left is counted after this.
    journal.record(session, PasskeyRemoved(user_id=passkey.user_id, passkey_id=passkey.id))


async def _issue(
    session: AsyncSession,
    user_id: UUID,
    purpose: ChallengePurpose,
    bound_to: UUID | None,
    now: datetime,
) -> bytes:
    """Return a new challenge; those of the user that ended are forgotten."""
    await queries.forget_challenges(session, user_id, now)
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    session.add(
        PasskeyChallenge(
            challenge_index=_index(challenge),
            user_id=user_id,
            purpose=purpose,
            bound_to=bound_to,
            expires_at=now + CHALLENGE_LIFETIME,
        )
    )
    return challenge


def _party(vault: Vault) -> Party:
    """Return whom passkeys are for. Raises PasskeysUnavailable."""
    party = _find_party(vault)
    if party is None:
        raise PasskeysUnavailable
    return party


def _find_party(vault: Vault) -> Party | None:
    settings = vault.settings
    origins = settings.passkey_origins
    return Party(settings.relying_party, origins) if origins else None


def _descriptors(passkeys: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=one.credential_id,
            transports=[AuthenticatorTransport(way) for way in one.transports] or None,
        )
        for one in passkeys
    ]


def _index(challenge: bytes) -> bytes:
    return hashlib.sha256(challenge).digest()
