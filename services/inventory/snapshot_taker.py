"""Taking snapshots of the ledger, in the worker."""

import asyncio
from uuid import UUID

from services.inventory.snapshots import service
from services.inventory.snapshots.rules import MOVEMENTS_EACH, Horizon
from shared.db import OpenFor

LOOKS, LOOK_AGAIN_S = 50, 0.1  # For what is being recorded to end.


class SnapshotTaker:
    """Notes how far the ledger goes, and sums it up to there once that is settled.

    Each part is a transaction of its own, short, that keeps no movement waiting.
    """

    def __init__(self, open_for: OpenFor, *, size: int = MOVEMENTS_EACH) -> None:
        self._open_for = open_for
        self._size = size
        self._noted: Horizon | None = None

    async def take(self) -> None:
        """Take what is due by the horizon of the last time, and note how far the ledger goes."""
        async with self._open_for(None) as session:
            horizon = self._noted
            if horizon is not None and not await service.is_settled(session, horizon):
                return
            self._noted = await service.find_horizon(session)
            due = await service.list_due_tenants(session, size=self._size)
        if horizon is not None:
            for tenant_id in due:
                await self._take_of(tenant_id, horizon)

    async def retake(self, tenant_id: UUID) -> None:
        """Remove a tenant's and take all of them anew, or leave that to the worker."""
        async with self._open_for(tenant_id) as session:
            await service.remove_snapshots(session)
            horizon = await service.find_horizon(session)
        for _ in range(LOOKS):
            async with self._open_for(tenant_id) as session:
                if await service.is_settled(session, horizon):
                    await self._take_of(tenant_id, horizon)
                    return
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _take_of(self, tenant_id: UUID, horizon: Horizon) -> None:
        more = True
        while more:
            async with self._open_for(tenant_id) as session:
                is_cut = await service.begin_snapshots(session, horizon, size=self._size)
            more = await self._sum(tenant_id) or is_cut

    async def _sum(self, tenant_id: UUID) -> bool:
        """Sum what is cut off, and say whether there was anything."""
        found = False
        while True:
            async with self._open_for(tenant_id) as session:
                if not await service.sum_snapshot(session):
                    return found
            found = True
