"""Accounts made, changed and removed by a directory."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts import service as accounts
from services.auth.scim import queries
from services.auth.scim.errors import (
    AttributeNotValid,
    ChangeNamesNothing,
    PathNotSupported,
    UserNameTaken,
)
from services.auth.scim.models import ProvisionedUser
from services.auth.scim.rules.changes import (
    NothingNamed,
    Operation,
    PathNotUnderstood,
    changed,
)
from services.auth.scim.rules.names import user_name_form
from services.auth.scim.schemas import (
    DirectoryProfile,
    ScimOperation,
    ScimPatch,
    ScimUserCreate,
    ScimUserRead,
)
from services.auth.scim.service.profile import (
    address_in,
    describe,
    find_address,
    language_in,
    name_in,
    open_profile,
    profile_of,
    to_read,
    writable,
)
from services.auth.scim.service.users import get_pair
from services.auth.users import service as users
from services.auth.users.models import User
from services.auth.users.rules import ROLE_OF_THE_REGISTERED, lookup_form
from services.auth.users.schemas import ProfileUpdate, UserUpdate
from services.auth.vault import Vault
from shared import journal
from shared.contracts.auth.directory import ProvisionedUserRemoved, ProvisionedUserSaved
from shared.db.conflicts import conflicts
from shared.etag import require_match
from shared.principal import Principal


async def add_user(
    session: AsyncSession, wanted: ScimUserCreate, *, vault: Vault, caller: Principal, now: datetime
) -> ScimUserRead:
    """Open an account, or take one into use again that the directory removed.

    The directory vouches for the address, so the account is verified and approved. It has no
    password: its user comes by the identity provider, or asks for one by mail.
    Raises UserNameTaken, AddressNeeded, EmailTaken.
    """
    profile = profile_of(wanted)
    address = address_in(profile)
    found = await _find_named(session, profile.user_name, address, caller.tenant_id, vault=vault)
    if found is None:
        new = users.NewUser(
            address,
            await vault.passwords.hash_unknown(),
            ROLE_OF_THE_REGISTERED,
            name_in(profile),
            language_in(profile),
        )
        user = await users.register_user(
            session, new, origin="directory", tenant_id=caller.tenant_id, vault=vault, now=now
        )
        row = None
    else:
        user, row = found
        if row is None or row.removed_at is None:
            raise UserNameTaken
        await _bring_back(session, user, vault=vault, now=now)
    row = await _save(session, user, row, wanted, vault=vault, now=now)
    await _set_active(session, user, is_wanted=wanted.active is not False, vault=vault, now=now)
    return to_read(user, row, vault=vault)


async def replace_user(
    session: AsyncSession,
    user_id: str,
    wanted: ScimUserCreate,
    if_match: str | None,
    *,
    vault: Vault,
    now: datetime,
) -> ScimUserRead:
    """Let an account be as the directory says; `active` left out stays as it is.

    Raises ProvisionedUserNotFound, PreconditionFailed, UserNameTaken, AddressNeeded, EmailTaken,
    LastAdministrator.
    """
    user, row = await get_pair(session, user_id, lock=True)
    require_match(if_match, user.version)
    row = await _save(session, user, row, wanted, vault=vault, now=now)
    if wanted.active is not None:
        await _set_active(session, user, is_wanted=wanted.active, vault=vault, now=now)
    return to_read(user, row, vault=vault)


async def change_user(
    session: AsyncSession,
    user_id: str,
    wanted: ScimPatch,
    if_match: str | None,
    *,
    vault: Vault,
    now: datetime,
) -> ScimUserRead:
    """Change what the operations name; all of them, or none.

    Raises what `replace_user` does, and PathNotSupported, ChangeNamesNothing, AttributeNotValid.
    """
    user, row = await get_pair(session, user_id, lock=True)
    after = _after(writable(open_profile(user, row, vault=vault)), wanted.operations)
    return await replace_user(session, user_id, _read(after), if_match, vault=vault, now=now)


async def remove_user(
    session: AsyncSession, user_id: str, if_match: str | None, *, vault: Vault, now: datetime
) -> None:
    """Deactivate an account, which the directory sees no more; what it did stays known.

    Raises ProvisionedUserNotFound, PreconditionFailed, LastAdministrator.
    """
    user, row = await get_pair(session, user_id, lock=True)
    require_match(if_match, user.version)
    await _set_active(session, user, is_wanted=False, vault=vault, now=now)
    if row is None:
        row = _new_row(session, user, open_profile(user, None, vault=vault), vault=vault, now=now)
    row.removed_at = row.changed_at = now
    journal.record(session, ProvisionedUserRemoved(user_id=user.id))


async def _bring_back(session: AsyncSession, user: User, *, vault: Vault, now: datetime) -> None:
    """Let an account that was removed come back without the password and rights that it had."""
    update = UserUpdate(role=ROLE_OF_THE_REGISTERED)
    await users.change_user(session, user.id, update, None, vault=vault, now=now)
    users.take_over(user, await vault.passwords.hash_unknown(), now=now)


async def _save(
    session: AsyncSession,
    user: User,
    row: ProvisionedUser | None,
    wanted: ScimUserCreate,
    *,
    vault: Vault,
    now: datetime,
) -> ProvisionedUser:
    """Keep what the directory says, and let the account's own name and address follow it."""
    before, after = open_profile(user, row, vault=vault), profile_of(wanted)
    address = address_in(after)
    await _refuse_taken(session, user, after.user_name, vault=vault)
    if row is None:
        await _vouch(session, user, vault=vault, now=now)
        row = _new_row(session, user, after, vault=vault, now=now)
    elif after != before or row.removed_at is not None:
        describe(row, after, user, vault=vault)
        row.removed_at, row.changed_at = None, now
        user.version += 1
    fields = _changed(before, after)
    if fields:
        journal.record(session, ProvisionedUserSaved(user_id=user.id, changed=fields))
    with conflicts({"provisioned_users_one_name": UserNameTaken()}):
        await session.flush()  # Of two who take a name at once, the database knows the first.
    given: dict[str, Any] = {}  # What its user changed himself stays until the directory does too.
    if name_in(after) != name_in(before):
        given["name"] = name_in(after)
    language = language_in(after)
    if language is not None and language != language_in(before):
        given["language"] = language
    update = ProfileUpdate.model_validate(given)
    await users.change_profile(session, user.id, update, None, vault=vault, now=now)
    if address != find_address(before):
        await accounts.change_address(session, user.id, address, vault=vault, now=now)
    return row


async def _vouch(session: AsyncSession, user: User, *, vault: Vault, now: datetime) -> None:
    """Let an account that was there already be its directory's.

    Where nobody had shown that the address is his, whoever registered it may be a stranger: the
    password goes.
    """
    if user.verified_at is None:
        users.take_over(user, await vault.passwords.hash_unknown(), now=now)
        users.verify(session, user, is_approved=True, now=now)
    elif user.approved_at is None:
        users.approve(session, user, now=now)


async def _refuse_taken(session: AsyncSession, user: User, user_name: str, *, vault: Vault) -> None:
    """Raise UserNameTaken where the name is that of another account."""
    found = await _find_named(session, user_name, None, user.tenant_id, vault=vault)
    if found is not None and found[0].id != user.id:
        raise UserNameTaken


async def _find_named(
    session: AsyncSession, user_name: str, address: str | None, tenant_id: UUID, *, vault: Vault
) -> queries.Pair | None:
    names = vault.user_names.candidates(user_name_form(user_name), tenant_id)
    emails = vault.emails.candidates(lookup_form(address or user_name), tenant_id)
    return await queries.find_named(session, names, emails)


def _new_row(
    session: AsyncSession, user: User, profile: DirectoryProfile, *, vault: Vault, now: datetime
) -> ProvisionedUser:
    row = ProvisionedUser(
        tenant_id=user.tenant_id, user_id=user.id, removed_at=None, changed_at=now
    )
    describe(row, profile, user, vault=vault)
    session.add(row)
    user.version += 1
    return row


def _changed(before: DirectoryProfile, after: DirectoryProfile) -> tuple[str, ...]:
    old, new = before.model_dump(by_alias=True), after.model_dump(by_alias=True)
    return tuple(name for name, value in new.items() if value != old[name])


def _after(resource: dict[str, Any], operations: list[ScimOperation]) -> dict[str, Any]:
    try:
        return changed(resource, [Operation(one.op, one.path, one.value) for one in operations])
    except PathNotUnderstood:
        raise PathNotSupported from None
    except NothingNamed:
        raise ChangeNamesNothing from None


def _read(resource: dict[str, Any]) -> ScimUserCreate:
    """Return the resource as a body would be read. Raises AttributeNotValid."""
    try:
        return ScimUserCreate.model_validate(resource)
    except ValidationError as error:
        attribute = ".".join(str(part) for part in error.errors()[0]["loc"][:3])
        raise AttributeNotValid(attribute=attribute[:100]) from None


async def _set_active(
    session: AsyncSession, user: User, *, is_wanted: bool, vault: Vault, now: datetime
) -> None:
    if is_wanted:
        await accounts.reactivate_user(session, user.id, vault=vault, now=now)
    else:
        await accounts.deactivate_user(session, user.id, "directory", vault=vault, now=now)
