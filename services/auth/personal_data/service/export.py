"""All that is kept of a person, as he can read it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts import service as accounts
from services.auth.factors import service as factors
from services.auth.legal_holds import service as legal_holds
from services.auth.mail import service as mail
from services.auth.one_time import service as one_time
from services.auth.personal_data import queries
from services.auth.personal_data.queries import OwnRows
from services.auth.personal_data.schemas import (
    AccountDataRead,
    ApiKeyDataRead,
    EarlierProfileRead,
    ErrandDataRead,
    FactorDataRead,
    JournalDataRead,
    MailDataRead,
    MailedTokenRead,
    PasskeyDataRead,
    PersonalDataRead,
    ProviderLinkRead,
    SignInDataRead,
)
from services.auth.scim import service as scim
from services.auth.sessions import service as sessions
from services.auth.users import service as users
from services.auth.users.models import User
from services.auth.vault import Vault
from shared import journal
from shared.contracts.auth.users import PersonalDataExported


async def export_person(
    session: AsyncSession, user_id: UUID, *, vault: Vault, now: datetime, language: str
) -> PersonalDataRead:
    """Return all that is kept of a user of the tenant. Raises UserNotFound."""
    user = await users.get_user(session, user_id)
    rows = await queries.list_own_rows(session, user.id)
    facts = await queries.list_facts(session, user.id)
    earlier = await list_earlier(session, user, vault=vault)
    addresses = addresses_of(user, rows, earlier, vault=vault)
    errands = await accounts.list_errands_of(session, user, addresses, vault=vault)
    found = PersonalDataRead(
        exported_at=now,
        account=_account(user, vault, language),
        earlier=earlier,
        sign_ins=_sign_ins(rows, vault),
        known_networks=facts["known_networks"],
        second_factors=_factors(rows, facts, vault),
        api_keys=[ApiKeyDataRead.model_validate(key) for key in rows.api_keys],
        identity_provider=ProviderLinkRead.model_validate(dict(facts))
        if facts["linked_at"]
        else None,
        directory=_directory(user, rows, vault),
        mails=await _mails(session, addresses, vault),
        mailed_links=[MailedTokenRead.model_validate(token) for token in rows.tokens],
        errands=[ErrandDataRead.model_validate(one) for one in errands],
        legal_holds=[*await list_holds_on(session, user, now)],
        journal=await _journal(session, user.id, rows),
    )
    journal.record(session, PersonalDataExported(user_id=user.id))
    return found


async def list_earlier(
    session: AsyncSession, user: User, *, vault: Vault
) -> list[EarlierProfileRead]:
    """Return what the journal holds of the profile as it was, the oldest first."""
    return [
        EarlierProfileRead(
            until=row["recorded_at"],
            fields=users.open_profile(row["data"]["before"], user, vault=vault),
        )
        for row in await queries.list_profile_entries(session, user.id)
    ]


def addresses_of(
    user: User, rows: OwnRows, earlier: Sequence[EarlierProfileRead], *, vault: Vault
) -> set[str]:
    """Return every address that the person has, had, or wants to have."""
    found = {users.open_fields(user, vault=vault).email}
    found |= {(one.fields or {}).get("email") for one in earlier}
    found |= {one_time.address_of(token, vault=vault) for token in rows.tokens}
    if rows.directory is not None:
        profile = scim.open_profile(user, rows.directory, vault=vault)
        found |= {one.value for one in profile.emails}
    return {address for address in found if address}


async def list_holds_on(session: AsyncSession, user: User, now: datetime) -> Sequence[UUID]:
    """Return the legal holds in force on what happened since there is the account."""
    return await legal_holds.list_keeping(session, "transactions", user.created_at, now)


def _account(user: User, vault: Vault, language: str) -> AccountDataRead:
    shown = users.to_read(user, vault=vault, language=language)
    return AccountDataRead(
        **shown.model_dump(),
        verified_at=user.verified_at,
        approved_at=user.approved_at,
        role_given_at=user.role_given_at,
        locked_at=user.locked_at,
        deactivated_at=user.deactivated_at,
        password_change_required=user.password_change_required,
    )


def _sign_ins(rows: OwnRows, vault: Vault) -> list[SignInDataRead]:
    return [
        SignInDataRead(
            id=one.id,
            **sessions.open_device(one, vault=vault)._asdict(),
            methods=one.methods,
            started_at=one.started_at,
            last_seen_at=one.refreshed_at,
            expires_at=one.expires_at,
            revoked_at=one.revoked_at,
        )
        for one in rows.sessions
    ]


def _factors(rows: OwnRows, facts: RowMapping, vault: Vault) -> FactorDataRead:
    passkeys = [
        PasskeyDataRead(
            id=one.id,
            name=factors.name_of(one, vault=vault),
            transports=one.transports,
            created_at=one.created_at,
            last_used_at=one.last_used_at,
        )
        for one in rows.passkeys
    ]
    return FactorDataRead(
        authenticator_since=facts["authenticator_since"],
        recovery_codes_left=facts["recovery_codes_left"],
        passkeys=passkeys,
        recovery_requested_at=facts["factor_recovery_requested_at"],
    )


def _directory(user: User, rows: OwnRows, vault: Vault) -> dict[str, Any] | None:
    if rows.directory is None:
        return None
    profile = scim.open_profile(user, rows.directory, vault=vault)
    return profile.model_dump(mode="json", by_alias=True, exclude_none=True)


async def _mails(session: AsyncSession, addresses: set[str], vault: Vault) -> list[MailDataRead]:
    """Return the mails to the person: their texts may hold links, which are secrets."""
    return [
        MailDataRead(to=one.to, subject=one.subject, due_at=row.due_at)
        for row, one in await mail.list_naming(session, addresses, vault=vault)
        if one.to in addresses
    ]


async def _journal(session: AsyncSession, user_id: UUID, rows: OwnRows) -> JournalDataRead:
    actors = [f"user:{user_id}", *(f"key:{key.id}" for key in rows.api_keys)]
    subjects = [
        f"user:{user_id}",
        *(f"api-key:{key.id}" for key in rows.api_keys),
        *(f"session:{one.id}" for one in rows.sessions),
    ]
    counted = await queries.count_entries(session, actors, subjects)
    listed = [f"/api/audit?actor={actor}" for actor in actors]
    return JournalDataRead(**counted, listed_at=[*listed, f"/api/audit?subject=user:{user_id}"])
