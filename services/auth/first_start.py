"""What must be there before anybody can sign in: the default tenant and its administrator."""

import asyncio
from contextlib import suppress
from datetime import datetime

from services.auth.keys import service as keys
from services.auth.resources import AuthResources
from services.auth.tenants import service as tenants
from services.auth.users import service as users
from shared.clock import utc_now
from shared.contracts.auth.tenants import DEFAULT_TENANT_ID
from shared.db import Stamp
from shared.log import log

ACTOR = "installation"
RETRY_DELAY_S = 2.0


class FirstStart:
    """Prepares when an app starts; with the database away it goes on trying beside the app."""

    def __init__(self) -> None:
        self._trying: asyncio.Task[None] | None = None

    async def start(self, resources: AuthResources) -> None:
        try:
            await prepare(resources, utc_now())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again.
            # The kind alone: the text of a database error may show the row, password hash and all.
            log.warning("not prepared yet", reason=type(error).__name__)
            self._trying = asyncio.create_task(_keep_trying(resources))

    async def stop(self, _resources: AuthResources) -> None:
        if self._trying is not None:
            self._trying.cancel()
            with suppress(asyncio.CancelledError):
                await self._trying


async def prepare(resources: AuthResources, now: datetime) -> None:
    """Create the default tenant and the first administrator, unless they are there.

    Any number of processes may do this at once: one at a time does, the others find it done.
    """
    vault = resources.own
    settings = vault.settings
    async with resources.database.transaction(Stamp(DEFAULT_TENANT_ID, ACTOR)) as session:
        await tenants.add_default_tenant(
            session,
            language=settings.default_language,
            currency=settings.currency,
            registration=settings.registration_policy,
            now=now,
        )
        await keys.add_configured(session, vault.keys, sealer=vault.sealer, now=now)
        if await users.has_administrator(session):
            return
        password_hash = await vault.passwords.hash_new(
            settings.admin_password, personal=(settings.admin_email,)
        )
        await users.register_user(
            session,
            users.NewUser(
                settings.admin_email, password_hash, "admin", password_change_required=True
            ),
            origin="installation",
            tenant_id=DEFAULT_TENANT_ID,
            vault=vault,
            now=now,
        )
    resources.waker.wake(resources.service)
    log.info("first administrator created")


async def _keep_trying(resources: AuthResources) -> None:
    while True:
        await asyncio.sleep(RETRY_DELAY_S)
        with suppress(Exception):
            await prepare(resources, utc_now())
            return
