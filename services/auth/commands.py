"""What an operator does with auth alone: `python -m services.auth <command>`."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.access_review import service as access_review
from services.auth.api_keys import service as api_keys
from services.auth.device_recovery import service as device_recovery
from services.auth.jobs import reseal_values
from services.auth.keys import service as keys
from services.auth.legal_holds import service as legal_holds
from services.auth.personal_data import service as personal_data
from services.auth.resources import AuthResources
from services.auth.sessions import service as sessions
from services.auth.tenants import service as tenants
from services.auth.tenants.schemas import TenantRead
from services.auth.users import service as users
from services.auth.users.models import User
from shared.clock import utc_now
from shared.contracts.auth.tenants import DEFAULT_TENANT_ID
from shared.db import Stamp
from shared.errors import Problem
from shared.pagination import LIMIT_MAX, PageQuery
from shared.told import Told

ACTOR = "operator"
RESTORE = "restore"  # Who does again what a restore undid.


async def rotate_keys(resources: AuthResources) -> Told:
    """Add a signing key that follows the others, and seal all with ENCRYPTION_KEY now."""
    kid = await _rotate(resources, at_once=False)
    added = f"Added {kid}: it signs in half a minute; the others verify until their tokens end."
    resealed, unreadable = await reseal_values(resources)
    said = f"Sealed {resealed:,} values with the present key."
    if unreadable:
        said = (
            f"{unreadable:,} values are sealed by a key that is not known: name it in "
            "ENCRYPTION_KEY_PREVIOUS. The log names them."
        )
    content = {
        "ok": not unreadable, "added": kid, "resealed": resealed, "unreadable": unreadable,
    }  # fmt: skip
    return Told(f"{added}\n{said}", content, is_bad=bool(unreadable))


async def replace_keys(resources: AuthResources) -> str:
    """Add a signing key and end the others now, as when one may be known to somebody."""
    kid = await _rotate(resources, at_once=True)
    return f"Added {kid}: all other keys are over, and so is every access token."


async def list_legal_holds(resources: AuthResources) -> str:
    """Return a line for each legal hold that is in force, of every tenant."""
    async with resources.database.transaction(Stamp(None, ACTOR)) as session:
        holds = await legal_holds.list_active(session)
    lines = [hold.model_dump_json() for hold in holds]
    return "\n".join(lines) if lines else "No legal hold is in force."


async def end_sessions(resources: AuthResources) -> str:
    """End every session and token there is, as after a restore: what ended since would live."""
    async with resources.database.transaction(Stamp(DEFAULT_TENANT_ID, ACTOR)) as session:
        now = utc_now()
        kid = await keys.rotate(session, sealer=resources.own.sealer, now=now, at_once=True)
        ended = await sessions.end_everywhere(session, kid=kid, now=now)
    return f"Ended {ended:,} sessions and every access token; all sign in again."


async def recover_administrator(resources: AuthResources) -> str:
    """Take the second factors of ADMIN_EMAIL away, who lost them and has not two others to ask."""
    vault = resources.own
    email = vault.settings.admin_email
    async with resources.database.transaction(Stamp(DEFAULT_TENANT_ID, ACTOR)) as session:
        is_done = await device_recovery.recover_by_operator(
            session, email, DEFAULT_TENANT_ID, vault=vault, now=utc_now()
        )
    if is_done:
        return f"{email} has no second factor any more, and sets another up at the next sign-in."
    return (
        f"Nothing was done: {email} must be an administrator with a second factor, and have fewer "
        "than two others beside, who could approve it: see docs/operations.md."
    )


async def list_tenants(resources: AuthResources) -> str:
    """Return every tenant as JSON: id, short name, name."""
    return json.dumps(
        [
            {"id": str(tenant.id), "slug": tenant.slug, "name": tenant.name}
            for tenant in await _list_tenants(resources)
        ]
    )


async def review_access(resources: AuthResources) -> str:
    """Return as JSON who may do what in every tenant, and which rights belong into two hands."""
    found = []
    for tenant in await _list_tenants(resources):
        async with resources.database.transaction(Stamp(tenant.id, ACTOR)) as session:
            review = await access_review.get_review(session, vault=resources.own, now=utc_now())
        found.append({"tenant": tenant.slug, "tenant_id": str(tenant.id), **review})
    return json.dumps(found, default=str)


async def end_sessions_of(resources: AuthResources, words: Sequence[str]) -> str:
    """End the sessions, tokens and API keys of one person: TENANT EMAIL. Raises SystemExit."""
    async with _person(resources, words) as (session, user):
        await users.end_sessions(session, user.id, now=utc_now())
        await api_keys.revoke_all_keys(session, user.id, now=utc_now())
    return (
        "All sessions, access tokens and API keys of this account are over. Who has its password "
        "and second factor signs in again: `lock-user` keeps him out."
    )


async def lock_user(resources: AuthResources, words: Sequence[str]) -> str:
    """Lock one person's account and end what he has open: TENANT EMAIL. Raises SystemExit."""
    async with _person(resources, words) as (session, user):
        await users.lock_user(session, user.id, vault=resources.own, now=utc_now())
        await api_keys.revoke_all_keys(session, user.id, now=utc_now())
    return "The account is locked, and its sessions, tokens and API keys are over."


async def erase_again(resources: AuthResources, words: Sequence[str]) -> str:
    """Erase who is on a list of erasures, as after a restore to before it. Raises SystemExit.

    FILE has a line of JSON for each: tenant_id and user_id. Whom this database does not know yet is
    nobody to erase.
    """
    if len(words) != 1:
        raise SystemExit("Say which list: FILE.")
    lines = await asyncio.to_thread(Path(words[0]).read_text)
    listed = [json.loads(line) for line in lines.splitlines()]
    done = 0
    for one in listed:
        stamp = Stamp(UUID(one["tenant_id"]), RESTORE)
        async with resources.database.transaction(stamp) as session:
            user = await users.find_user(session, UUID(one["user_id"]), lock=True)
            if user is not None and user.erased_at is None:
                await personal_data.forget_person(session, user, vault=resources.own, now=utc_now())
                done += 1
    resources.waker.wake(resources.service)
    return f"Erased {done:,} persons again, of {len(listed):,} on the list of erasures."


@asynccontextmanager
async def _person(
    resources: AuthResources, words: Sequence[str]
) -> AsyncIterator[tuple[AsyncSession, User]]:
    """Open a transaction of a person's tenant, and find him. Raises SystemExit."""
    if len(words) != 2:  # noqa: PLR2004 - tenant and address.
        raise SystemExit("Say who: TENANT EMAIL, the tenant by its short name.")
    slug, email = words
    async with resources.database.transaction(Stamp(DEFAULT_TENANT_ID, ACTOR)) as session:
        tenant = await tenants.find_by_slug(session, slug)
    if tenant is None:
        raise SystemExit(f"There is no tenant {slug}.")
    try:
        async with resources.database.transaction(Stamp(tenant.id, ACTOR)) as session:
            vault = resources.own
            user = await users.find_by_email(session, email, tenant_id=tenant.id, vault=vault)
            if user is None:
                raise SystemExit(f"Nobody has this address in {slug}.")
            yield session, user
    except Problem as problem:
        raise SystemExit(problem.detail_in("en")) from problem
    resources.waker.wake(resources.service)


async def _list_tenants(resources: AuthResources) -> list[TenantRead]:
    async with resources.database.transaction(Stamp(DEFAULT_TENANT_ID, ACTOR)) as session:
        found: list[TenantRead] = []
        cursor: str | None = None
        while True:
            asked = PageQuery(cursor=cursor, limit=LIMIT_MAX)
            page = await tenants.list_tenants(session, asked)
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                return found


async def _rotate(resources: AuthResources, *, at_once: bool) -> str:
    async with resources.database.transaction(Stamp(DEFAULT_TENANT_ID, ACTOR)) as session:
        sealer = resources.own.sealer
        return await keys.rotate(session, sealer=sealer, now=utc_now(), at_once=at_once)


COMMANDS: Mapping[str, Callable[[AuthResources], Awaitable[Told | str]]] = {
    "rotate-keys": rotate_keys,
    "replace-keys": replace_keys,
    "legal-holds": list_legal_holds,
    "end-sessions": end_sessions,
    "recover-administrator": recover_administrator,
    "tenants": list_tenants,
    "access-review": review_access,
}
COMMANDS_OF_WORDS: Mapping[str, Callable[[AuthResources, Sequence[str]], Awaitable[str]]] = {
    "end-sessions-of": end_sessions_of,
    "erase-again": erase_again,
    "lock-user": lock_user,
}
