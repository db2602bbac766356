"""The sealed fields of a user: each opens only in its own place."""

import json
from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from services.auth.users.models import User
from services.auth.users.rules import SealedField
from services.auth.vault import Vault
from shared.log import log
from shared.security.sealing import SealBroken, place

EMAIL = "auth.users.email"
NAME = "auth.users.name"
_PROFILE = "auth.journal.profile"


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
    """Return fields of a profile as sealed JSON, for the journal."""
    at = place(_PROFILE, user.tenant_id, user.id)
    return vault.sealer.seal_text(json.dumps(fields).encode(), at)


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


def _sealed_fields(user: User) -> tuple[tuple[SealedField, str, bytes | None], ...]:
    return ("email", EMAIL, user.email_sealed), ("name", NAME, user.name_sealed)
