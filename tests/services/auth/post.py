"""The mail of the tests: what auth would send, read as its receiver would."""

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from email.message import EmailMessage
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts import service as accounts
from services.auth.mail import service as mail
from services.auth.resources import AuthResources
from shared.clock import utc_now
from shared.db import Stamp

TOKEN = re.compile(r"ot_[\w-]+")


class PostOffice:
    """Does the worker's errands when asked, and keeps what goes out."""

    def __init__(self, resources: AuthResources) -> None:
        self._resources = resources
        self.sent: list[EmailMessage] = []

    async def deliver(self, clock: Callable[[], datetime] = utc_now) -> None:
        """Do all errands and send all mail that is due."""
        vault = self._resources.own
        while await accounts.do_errands(self._open_for, vault=vault, clock=clock):
            pass
        while await mail.send_due(self._open_for, self._keep, vault=vault, clock=clock):
            pass

    async def to(self, address: str) -> list[EmailMessage]:
        """Return what came for an address, the first first."""
        await self.deliver()
        return [m for m in self.sent if m["To"].lower() == address.lower()]

    async def token_to(self, address: str) -> str:
        """Return the token in the last mail to an address."""
        *_, last = await self.to(address)
        found = TOKEN.search(last.get_content())
        assert found, last.get_content()
        return found[0]

    def _open_for(self, tenant_id: UUID | None) -> AbstractAsyncContextManager[AsyncSession]:
        return self._resources.database.transaction(Stamp(tenant_id, "worker"))

    async def _keep(self, message: EmailMessage) -> None:
        self.sent.append(message)
