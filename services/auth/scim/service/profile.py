"""What is kept of an account as its directory described it, and the account as SCIM shows it."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.auth.scim.errors import AddressNeeded
from services.auth.scim.models import ProvisionedUser
from services.auth.scim.rules.names import USER, location, tag, user_name_form
from services.auth.scim.schemas import (
    DirectoryProfile,
    ScimEmailRead,
    ScimMembershipRead,
    ScimMeta,
    ScimNameRead,
    ScimUserCreate,
    ScimUserRead,
)
from services.auth.users import service as users
from services.auth.users.models import User
from services.auth.users.rules import Language, is_email, lookup_form
from services.auth.vault import Vault
from shared.log import log
from shared.security.sealing import SealBroken, place

PROFILE = "auth.provisioned_users.profile"
_NAME_LENGTH_MAX = 200
_LANGUAGES: Mapping[str, Language] = {"en": "en", "fr": "fr"}
_NAME_PARTS = ("formatted", "givenName", "familyName")


def profile_of(wanted: ScimUserCreate) -> DirectoryProfile:
    """Return what is kept of what a directory sent."""
    name = wanted.name
    return DirectoryProfile(
        user_name=wanted.user_name,
        external_id=wanted.external_id,
        given_name=name and name.given_name,
        family_name=name and name.family_name,
        formatted=name and name.formatted,
        display_name=wanted.display_name,
        preferred_language=wanted.preferred_language,
        emails=[ScimEmailRead.model_validate(one) for one in wanted.emails],
    )


def writable(profile: DirectoryProfile) -> dict[str, Any]:
    """Return the profile as the attributes of a user that a directory can change, as JSON."""
    written = profile.model_dump(mode="json", by_alias=True, exclude_none=True)
    name = {part: written.pop(part) for part in _NAME_PARTS if part in written}
    return written | ({"name": name} if name else {})


def address_in(profile: DirectoryProfile) -> str:
    """Return the address of the account. Raises AddressNeeded."""
    address = find_address(profile)
    if address is None:
        raise AddressNeeded
    return address


def find_address(profile: DirectoryProfile) -> str | None:
    """Return the address of the account: the primary, the one at work, any, or the user name."""
    emails = sorted(
        profile.emails, key=lambda one: (not one.primary, (one.type or "").casefold() != "work")
    )
    if emails:
        return emails[0].value
    return profile.user_name if is_email(profile.user_name) else None


def name_in(profile: DirectoryProfile) -> str | None:
    """Return the name under which the account is shown."""
    parts = " ".join(part for part in (profile.given_name, profile.family_name) if part)
    name = profile.display_name or profile.formatted or parts
    return name[:_NAME_LENGTH_MAX].strip() or None


def language_in(profile: DirectoryProfile) -> Language | None:
    """Return which of our languages is meant, as by fr-CA; None where it is another."""
    given = re.split(r"[-_]", (profile.preferred_language or "").lower())[0]
    return _LANGUAGES.get(given)


def describe(row: ProvisionedUser, profile: DirectoryProfile, user: User, *, vault: Vault) -> None:
    """Keep the profile, sealed, and what the account is found by."""
    index_by(row, profile, user.tenant_id, vault=vault)
    row.profile_sealed = vault.sealer.seal(
        profile.model_dump_json().encode(), place(PROFILE, user.tenant_id, user.id)
    )


def index_by(
    row: ProvisionedUser, profile: DirectoryProfile, tenant_id: UUID, *, vault: Vault
) -> None:
    """Keep what the account is found by, under the present key."""
    row.user_name_index = vault.user_names.of(user_name_form(profile.user_name), tenant_id)
    row.external_id_index = (
        vault.external_ids.of(profile.external_id, tenant_id) if profile.external_id else None
    )


def open_profile(user: User, row: ProvisionedUser | None, *, vault: Vault) -> DirectoryProfile:
    """Return what the directory said of the account, or what the account itself says."""
    if row is not None:
        try:
            at = place(PROFILE, user.tenant_id, user.id)
            return DirectoryProfile.model_validate_json(vault.sealer.open(row.profile_sealed, at))
        except SealBroken:
            log.error("a directory's profile cannot be opened", user_id=user.id)
    shown = users.to_read(user, vault=vault)
    return DirectoryProfile(user_name=shown.email or "", display_name=shown.name)


def to_read(user: User, row: ProvisionedUser | None, *, vault: Vault) -> ScimUserRead:
    """Return the account as SCIM shows it."""
    profile = open_profile(user, row, vault=vault)
    address = users.to_read(user, vault=vault).email
    emails = profile.emails
    if address is not None and all(
        lookup_form(one.value) != lookup_form(address) for one in emails
    ):
        emails = [ScimEmailRead(value=address, type="work", primary=True)]
    named = (profile.formatted, profile.given_name, profile.family_name)
    return ScimUserRead(
        schemas=[USER],
        id=str(user.id),
        external_id=profile.external_id,
        user_name=profile.user_name or None,
        name=None if named == (None, None, None) else ScimNameRead.model_validate(profile),
        display_name=profile.display_name,
        emails=emails,
        active=user.deactivated_at is None,
        preferred_language=profile.preferred_language or user.language,
        groups=[
            ScimMembershipRead(
                value=user.role, ref=location("Groups", user.role), display=user.role, type="direct"
            )
        ],
        meta=ScimMeta(
            resource_type="User",
            created=user.created_at,
            last_modified=user.created_at if row is None else row.changed_at,
            location=location("Users", user.id),
            version=tag(user.version),
        ),
    )
