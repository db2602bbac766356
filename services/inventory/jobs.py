from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.approvals import service as approvals
from services.inventory.items import service as items
from services.inventory.reservations import service as reservations
from services.inventory.resources import InventoryResources
from services.inventory.snapshot_taker import SnapshotTaker
from services.inventory.webhook_sender import WebhookSender
from services.inventory.webhooks import service as webhooks
from shared.clock import utc_now
from shared.db import OpenFor
from shared.ending import is_ending
from shared.jobs import every, run_together, standing_work
from shared.log import log
from shared.resealing import Resealed, reseal

GAUGE_INTERVAL_S = 15.0
FORGET_INTERVAL_S = 3600.0
EXPIRE_INTERVAL_S = 2.0
RESEAL_INTERVAL_S = 3600.0
SNAPSHOT_INTERVAL_S = 10.0


async def work(resources: InventoryResources) -> None:
    """Run inventory's work outside requests for ever."""
    open_for = resources.database.opener("worker")

    async def measure() -> None:
        async with open_for(None) as session:
            await webhooks.measure(session, now=utc_now())
            await items.measure(session)

    async def forget() -> None:
        more = True
        while more:
            async with open_for(None) as session:
                more = await webhooks.forget_old(session, now=utc_now())

    async def forget_uses() -> None:
        async with open_for(None) as session:
            await approvals.forget_uses(session, now=utc_now())

    await run_together(
        standing_work(resources),
        WebhookSender(open_for, resources.own.outgoing, resources.own.secrets).run(),
        every(EXPIRE_INTERVAL_S, "expire reservations", lambda: expire_reservations(open_for)),
        every(RESEAL_INTERVAL_S, "seal secrets anew", lambda: reseal_secrets(resources)),
        every(GAUGE_INTERVAL_S, "expire approvals", lambda: expire_approvals(open_for)),
        every(FORGET_INTERVAL_S, "forget what counted towards a day", forget_uses),
        every(SNAPSHOT_INTERVAL_S, "take snapshots", SnapshotTaker(open_for).take),
        every(GAUGE_INTERVAL_S, "measure items and webhooks", measure),
        every(FORGET_INTERVAL_S, "forget old events of webhooks", forget),
    )


async def expire_reservations(open_for: OpenFor) -> None:
    """Give back what expired, of each tenant in turn; who fails keeps no other waiting."""
    await _expire_in_turn(open_for, reservations.list_due_tenants, reservations.expire_due)


async def expire_approvals(open_for: OpenFor) -> None:
    """Close the approvals that nobody gave in time, of each tenant in turn."""
    now = utc_now()
    await _expire_in_turn(
        open_for,
        partial(approvals.list_due_tenants, now=now),
        partial(approvals.expire_due, now=now),
    )


async def _expire_in_turn(
    open_for: OpenFor,
    list_due: Callable[[AsyncSession], Awaitable[Sequence[UUID]]],
    expire_due: Callable[[AsyncSession], Awaitable[bool]],
) -> None:
    async with open_for(None) as session:
        due = list(await list_due(session))
    while due:
        with_more = []
        for tenant_id in due:
            try:
                async with open_for(tenant_id) as session:
                    if await expire_due(session):
                        with_more.append(tenant_id)
            except Exception:
                if is_ending():
                    raise
                log.exception("what is over did not expire", tenant_id=tenant_id)
        due = with_more


async def reseal_secrets(resources: InventoryResources) -> Resealed:
    """Seal with INVENTORY_ENCRYPTION_KEY what earlier ones sealed of webhooks.

    Prices stay as they are: the signed journal holds them as they were sealed, which `verify`
    compares.
    """
    open_for = resources.database.opener("worker")
    return await reseal(open_for, webhooks.SEALED_COLUMNS, sealer=resources.own.secrets)
