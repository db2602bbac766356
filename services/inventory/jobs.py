from contextlib import AbstractAsyncContextManager
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.reservations import service as reservations
from services.inventory.resources import InventoryResources
from services.inventory.webhook_sender import WebhookSender
from services.inventory.webhooks import service as webhooks
from shared.clock import utc_now
from shared.db import Stamp
from shared.jobs import every, run_together, standing_work

GAUGE_INTERVAL_S = 15.0
FORGET_INTERVAL_S = 3600.0
EXPIRE_INTERVAL_S = 2.0


async def work(resources: InventoryResources) -> None:
    """Run inventory's work outside requests for ever."""

    def open_for(tenant_id: UUID | None) -> AbstractAsyncContextManager[AsyncSession]:
        return resources.database.transaction(Stamp(tenant_id, "worker"))

    async def measure() -> None:
        async with open_for(None) as session:
            await webhooks.measure(session, now=utc_now())

    async def forget() -> None:
        more = True
        while more:
            async with open_for(None) as session:
                more = await webhooks.forget_old(session, now=utc_now())

    async def expire() -> None:
        async with open_for(None) as session:
            due = await reservations.list_due_tenants(session, now=utc_now())
        for tenant_id in due:
            more = True
            while more:
                async with open_for(tenant_id) as session:
                    more = await reservations.expire_due(session, now=utc_now())

    await run_together(
        standing_work(resources),
        WebhookSender(open_for, resources.own.outgoing, resources.own.secrets).run(),
        every(EXPIRE_INTERVAL_S, "expire reservations", expire),
        every(GAUGE_INTERVAL_S, "measure webhooks", measure),
        every(FORGET_INTERVAL_S, "forget old events of webhooks", forget),
    )
