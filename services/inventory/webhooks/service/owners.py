"""Webhooks whose owner left, or may not decide any more what leaves: nothing more is sent."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.webhooks import queries
from services.inventory.webhooks.models import Webhook
from services.inventory.webhooks.rules import OwnerLoss, loss_of
from services.inventory.webhooks.service.subscribing import host_of
from shared import journal
from shared.clock import utc_now
from shared.contracts.auth.users import (
    AboutUser,
    UserDeactivated,
    UserLocationsChanged,
    UserRoleChanged,
)
from shared.contracts.inventory.webhooks import WebhookOwnerLost
from shared.journal.aside import FeedEntry

_CONTRACTS: Final[dict[str, type[AboutUser]]] = {
    entry.name: entry for entry in (UserDeactivated, UserRoleChanged, UserLocationsChanged)
}
FOLLOWED: Final = frozenset(_CONTRACTS)


async def disable_of_lost_owners(session: AsyncSession, entries: Sequence[FeedEntry]) -> None:
    """Switch off the webhooks of those who left, or lost what adding one needs, since they own it.

    What waits for them goes on waiting, and a replay finds what comes meanwhile. Raises
    ValidationError.
    """
    for entry in entries:
        about = _CONTRACTS[entry["type"]].model_validate(entry["data"])
        loss = loss_of(about)
        if loss is not None:
            await _disable(
                session, about.user_id, loss, datetime.fromisoformat(entry["recorded_at"])
            )


async def _disable(session: AsyncSession, owner_id: UUID, loss: OwnerLoss, at: datetime) -> None:
    for webhook in await queries.lock_owned(session, owner_id):
        if at >= (webhook.owner_since or webhook.created_at):
            _switch_off(session, webhook, loss)


def _switch_off(session: AsyncSession, webhook: Webhook, loss: OwnerLoss) -> None:
    webhook.active = False
    webhook.disabled_reason = loss
    webhook.version += 1
    webhook.updated_at = utc_now()
    journal.record(
        session,
        WebhookOwnerLost(
            webhook_id=webhook.id, host=host_of(webhook), owner_id=webhook.owner_id, reason=loss
        ),
    )
