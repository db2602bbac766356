"""Secrets of webhooks under a new key, so that the one before can go."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.webhooks import queries
from services.inventory.webhooks.service.subscribing import SECRET_COLUMN
from shared.log import log
from shared.security.sealing import SealBroken, Sealer, place


async def list_sealed_before(
    session: AsyncSession, *, sealer: Sealer
) -> Sequence[tuple[UUID, UUID]]:
    """Return (tenant, id) of webhooks of all tenants with a secret that an earlier key sealed."""
    return await queries.list_sealed_before(session, sealer.current_id)


async def reseal(
    session: AsyncSession, tenant_id: UUID, webhook_id: UUID, *, sealer: Sealer
) -> bool:
    """Seal a webhook's secrets with the present key; say whether each could be opened.

    The secrets stay the same, so nothing of it is journaled, and the version stays.
    """
    webhook = await queries.lock_webhook(session, webhook_id)
    if webhook is None:
        return True
    where = place(SECRET_COLUMN, tenant_id, webhook_id)
    try:
        webhook.secret_sealed = _resealed(sealer, webhook.secret_sealed, where)
        if webhook.previous_sealed is not None:
            webhook.previous_sealed = _resealed(sealer, webhook.previous_sealed, where)
    except SealBroken:
        log.error("a webhook's secret cannot be opened", webhook_id=webhook_id)
        return False
    return True


def _resealed(sealer: Sealer, sealed: bytes, where: str) -> bytes:
    if not sealer.needs_rotation(sealed):
        return sealed
    return sealer.seal(sealer.open(sealed, where), where)
