"""The sealed fields of a user: each opens only in its own place."""

import json
from collections.abc import Mapping
from uuid import UUID

from services.auth.users.models import User
from services.auth.vault import Vault
from shared.security.sealing import place

_EMAIL = "auth.users.email"
_NAME = "auth.users.name"
_PROFILE = "auth.journal.profile"


def seal_email(email: str, tenant_id: UUID, user_id: UUID, *, vault: Vault) -> bytes:
    return vault.sealer.seal(email.encode(), place(_EMAIL, tenant_id, user_id))


def seal_name(name: str | None, tenant_id: UUID, user_id: UUID, *, vault: Vault) -> bytes | None:
    if name is None:
        return None
    return vault.sealer.seal(name.encode(), place(_NAME, tenant_id, user_id))


def seal_profile(fields: Mapping[str, str | None], user: User, *, vault: Vault) -> str:
    """Return fields of a profile as sealed JSON, for the journal."""
    at = place(_PROFILE, user.tenant_id, user.id)
    return vault.sealer.seal_text(json.dumps(fields).encode(), at)


def email_of(user: User, *, vault: Vault) -> str:
    return vault.sealer.open(user.email_sealed, place(_EMAIL, user.tenant_id, user.id)).decode()


def name_of(user: User, *, vault: Vault) -> str | None:
    if user.name_sealed is None:
        return None
    return vault.sealer.open(user.name_sealed, place(_NAME, user.tenant_id, user.id)).decode()
