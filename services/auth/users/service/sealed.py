"""The sealed fields of a user: each opens only in its own place."""

import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

from services.auth.users.models import User
from services.auth.users.rules import SealedField
from services.auth.vault import Vault
from shared.log import log
from shared.security.sealing import SealBroken, Sealer, place

EMAIL = "auth.users.email"
NAME = "auth.users.name"
PROFILE_KEY = "auth.users.profile_key"
_PROFILE = "auth.journal.profile"
_KEY_BYTES = 32


class OpenedFields(NamedTuple):
    email: str | None
    name: str | None
    unreadable: list[SealedField]


def seal_email(email: str, tenant_id: UUID, user_id: UUID, *, vault: Vault) -> bytes:
    return vault.sealer.seal(email.encode(), place(EMAIL, tenant_id, user_id))


def seal_name(name: str | None, tenant_id: UUID, user_id: UUID, *, vault: Vault) -> bytes | None:
    if name is None:
        return None
    return vault.sealer.seal(name.encode(), place(NAME, tenant_id, user_id))


def seal_profile(fields: Mapping[str, str | None], user: User, *, vault: Vault) -> str:
    """Return fields of a profile as JSON for the journal, sealed with a key of the user's own.

    The journal is never changed; with that key what it holds of the user goes, copies and all.
    The user's row must be held: the first time, the key is made.
    """
    own = _find_own(user, vault)
    if own is None:
        key = secrets.token_bytes(_KEY_BYTES)
        at = place(PROFILE_KEY, user.tenant_id, user.id)
        user.profile_key_sealed = vault.sealer.seal(key, at)
        own = Sealer(key.hex(), is_counted=False)
    return own.seal_text(json.dumps(fields).encode(), place(_PROFILE, user.tenant_id, user.id))


def open_profile(sealed: str, user: User, *, vault: Vault) -> Mapping[str, str | None] | None:
    """Return what `seal_profile` sealed, also before users had keys; None where no key opens it."""
    at = place(_PROFILE, user.tenant_id, user.id)
    for sealer in (_find_own(user, vault), vault.sealer):
        if sealer is not None:
            with suppress(SealBroken):
                fields: Mapping[str, str | None] = json.loads(sealer.open_text(sealed, at))
                return fields
    return None


def open_fields(user: User, *, vault: Vault) -> OpenedFields:
    """Return the sealed fields of a user; one that cannot be opened is None, and named.

    An altered value or a lost key takes nothing else away: neither the user nor a list with him.
    """
    opened: dict[SealedField, str | None] = {}
    unreadable: list[SealedField] = []
    for field, column, sealed in _sealed_fields(user):
        try:
            at = place(column, user.tenant_id, user.id)
            opened[field] = None if sealed is None else vault.sealer.open(sealed, at).decode()
        except SealBroken:
            unreadable.append(field)
    if unreadable:
        log.error("sealed fields cannot be opened", user_id=user.id, fields=unreadable)
    return OpenedFields(opened.get("email"), opened.get("name"), unreadable)


def _find_own(user: User, vault: Vault) -> Sealer | None:
    """Return what the user's own key seals with; None where there is none, or it cannot be read."""
    if user.profile_key_sealed is None:
        return None
    try:
        at = place(PROFILE_KEY, user.tenant_id, user.id)
        return Sealer(vault.sealer.open(user.profile_key_sealed, at).hex(), is_counted=False)
    except SealBroken:
        log.error("a user's own key cannot be opened", user_id=user.id)
        return None


def _sealed_fields(user: User) -> tuple[tuple[SealedField, str, bytes | None], ...]:
    return ("email", EMAIL, user.email_sealed), ("name", NAME, user.name_sealed)
