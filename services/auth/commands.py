"""What an operator does with auth alone: `python -m services.auth <command>`."""

from collections.abc import Awaitable, Callable, Mapping

from services.auth.device_recovery import service as device_recovery
from services.auth.jobs import reseal_values
from services.auth.keys import service as keys
from services.auth.resources import AuthResources
from services.auth.sessions import service as sessions
from shared.clock import utc_now
from shared.contracts.auth.tenants import DEFAULT_TENANT_ID
from shared.db import Stamp

ACTOR = "operator"


async def rotate_keys(resources: AuthResources) -> str:
    """Add a signing key that follows the others, and seal all with ENCRYPTION_KEY now.

    Raises SystemExit.
    """
    kid = await _rotate(resources, at_once=False)
    added = f"Added {kid}: it signs in half a minute; the others verify until their tokens end."
    resealed, unreadable = await reseal_values(resources)
    if unreadable:
        raise SystemExit(
            f"{added}\n{unreadable:,} values are sealed by a key that is not known: name it in "
            "ENCRYPTION_KEY_PREVIOUS. The log names them."
        )
    return f"{added}\nSealed {resealed:,} values with the present key."


async def replace_keys(resources: AuthResources) -> str:
    """Add a signing key and end the others now, as when one may be known to somebody."""
    kid = await _rotate(resources, at_once=True)
    return f"Added {kid}: all other keys are over, and so is every access token."


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


async def _rotate(resources: AuthResources, *, at_once: bool) -> str:
    async with resources.database.transaction(Stamp(DEFAULT_TENANT_ID, ACTOR)) as session:
        sealer = resources.own.sealer
        return await keys.rotate(session, sealer=sealer, now=utc_now(), at_once=at_once)


COMMANDS: Mapping[str, Callable[[AuthResources], Awaitable[str]]] = {
    "rotate-keys": rotate_keys,
    "replace-keys": replace_keys,
    "end-sessions": end_sessions,
    "recover-administrator": recover_administrator,
}
