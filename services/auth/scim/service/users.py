"""Accounts as a directory sees them: one, and those that it looks for."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.scim import queries
from services.auth.scim.errors import FilterNotSupported, ProvisionedUserNotFound
from services.auth.scim.queries import Looked, Pair
from services.auth.scim.rules.filters import Term, parse_filter
from services.auth.scim.rules.names import LIST_RESPONSE, PAGE_MAX, user_name_form
from services.auth.scim.rules.showing import names_in, shown
from services.auth.scim.schemas import ScimListRead, ScimQuery, ScimUserRead
from services.auth.scim.service.profile import to_read
from services.auth.users import service as users
from services.auth.users.rules import lookup_form
from services.auth.vault import Vault
from shared.principal import Principal

_KNOWN: Final[Mapping[str, str]] = {
    name.lower(): name
    for name in ("id", "userName", "externalId", "emails", "emails.value", "active")
}


async def list_users(
    session: AsyncSession, asked: ScimQuery, *, vault: Vault, caller: Principal
) -> ScimListRead:
    """Return the accounts that a filter chooses, a page of them. Raises FilterNotSupported."""
    looked = _looked(asked.filter, vault, caller.tenant_id)
    start, count = max(asked.start_index, 1), min(max(asked.count, 0), PAGE_MAX)
    total = await queries.count_users(session, looked)
    pairs = await queries.list_users(session, looked, offset=start - 1, limit=count)
    return ScimListRead(
        schemas=[LIST_RESPONSE],
        total_results=total,
        start_index=start,
        items_per_page=len(pairs),
        resources=[chosen(to_read(*pair, vault=vault), asked) for pair in pairs],
    )


async def get_user(session: AsyncSession, user_id: str, *, vault: Vault) -> ScimUserRead:
    """Return an account. Raises ProvisionedUserNotFound."""
    return to_read(*await get_pair(session, user_id), vault=vault)


async def get_pair(session: AsyncSession, user_id: str, *, lock: bool = False) -> Pair:
    """Return an account with what its directory says of it. Raises ProvisionedUserNotFound."""
    known = id_in(user_id)
    if lock and known is not None:  # All that a change may need, in one order for everybody.
        await users.lock_with_administrators(session, known)
    found = None if known is None else await queries.find_user(session, known)
    if found is None:
        raise ProvisionedUserNotFound
    return found


def id_in(text: str) -> UUID | None:
    """Return the id that a text is, None for what can be none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def chosen(resource: Any, asked: Any) -> dict[str, Any]:  # noqa: ANN401 - any resource, any query.
    """Return the attributes of a resource that are asked for, as JSON; what is not given is out."""
    written = resource.model_dump(mode="json", by_alias=True, exclude_none=True)
    return shown(
        written,
        wanted=names_in(asked.attributes),
        unwanted=names_in(asked.excluded_attributes),
    )


def _looked(text: str | None, vault: Vault, tenant_id: UUID) -> list[Looked]:
    if text is None:
        return []
    terms = parse_filter(text, _KNOWN)
    if terms is None:
        raise FilterNotSupported
    return [_look(term, vault, tenant_id) for term in terms]


def _look(term: Term, vault: Vault, tenant_id: UUID) -> Looked:
    if isinstance(term.value, bool) != (term.attribute == "active"):
        raise FilterNotSupported
    text = str(term.value)
    emails = vault.emails.candidates(lookup_form(text), tenant_id)
    match term.attribute:
        case "active":
            return Looked("active", value=bool(term.value))
        case "id":
            return Looked("id", value=id_in(text))
        case "externalId":
            return Looked("external_id", indices=vault.external_ids.candidates(text, tenant_id))
        case "userName":
            names = vault.user_names.candidates(user_name_form(text), tenant_id)
            return Looked("user_name", indices=names, email_indices=emails)
        case _:
            return Looked("email", email_indices=emails)
