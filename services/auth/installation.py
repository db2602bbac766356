"""What must be there before anybody can sign in: the default tenant and its administrator."""

import asyncio
from contextlib import suppress
from datetime import datetime

from services.auth.passwords.rules import normalised
from services.auth.resources import AuthResources
from services.auth.tenants import service as tenants
from services.auth.users import service as users
from shared.clock import utc_now
from shared.contracts.auth.tenants import DEFAULT_TENANT_ID
from shared.db import Stamp
from shared.log import log

ACTOR = "installation"
RETRY_DELAY_S = 2.0


async def install(resources: AuthResources, now: datetime) -> None:
    """Create the default tenant and the first administrator, unless they are there.

    Any number of processes may do this at once: one at a time does, the others find it done.
    """
    vault = resources.own
    settings = vault.settings
    async with resources.database.transaction(Stamp(DEFAULT_TENANT_ID, ACTOR)) as session:
        await tenants.ensure_default(session, currency=settings.currency, now=now)
        if await users.has_administrator(session):
            return
        password = normalised(settings.admin_password.get_secret_value())
        await users.create(
            session,
            users.NewUser(settings.admin_email, await vault.passwords.hash(password), "admin"),
            origin="installation",
            tenant_id=DEFAULT_TENANT_ID,
            vault=vault,
            now=now,
        )
    resources.waker.wake(resources.service)
    log.info("first administrator created")


class Installer:
    """Installs when an app starts; with the database away it goes on trying beside the app."""

    def __init__(self) -> None:
        self._trying: asyncio.Task[None] | None = None

    async def start(self, resources: AuthResources) -> None:
        try:
            await install(resources, utc_now())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again.
            log.warning("not installed yet", reason=repr(error))
            self._trying = asyncio.create_task(_keep_trying(resources))

    async def stop(self, _resources: AuthResources) -> None:
        if self._trying is not None:
            self._trying.cancel()
            with suppress(asyncio.CancelledError):
                await self._trying


async def _keep_trying(resources: AuthResources) -> None:
    while True:
        await asyncio.sleep(RETRY_DELAY_S)
        with suppress(Exception):
            await install(resources, utc_now())
            return
