"""Whose journals reporting follows, and what their entries become here."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.reporting.audit import queries as audit
from services.reporting.inventory_value import service as inventory_value
from services.reporting.read_models import service as read_models
from services.reporting.read_models.rules import OF_AUTH, OF_INVENTORY, read_entries
from services.reporting.resources import ReportingOwn
from shared.journal.apply import Follower
from shared.journal.aside import FeedEntry
from shared.security.sealing import Sealer


def followers(own: ReportingOwn) -> Sequence[Follower]:
    """Return whose journals are followed, reporting's own too: it says who was refused.

    Every entry is copied for the audit trail; what the reports need is applied beside that.
    """
    return (
        Follower("auth", OF_AUTH, apply_auth, partial(audit.add_entries, "auth")),
        Follower(
            "inventory",
            OF_INVENTORY,
            partial(apply_inventory, own.prices),
            partial(audit.add_entries, "inventory"),
        ),
        Follower("forecasting", copy=partial(audit.add_entries, "forecasting")),
        Follower("reporting", copy=partial(audit.add_entries, "reporting")),
    )


async def apply_inventory(
    prices: Sealer, session: AsyncSession, entries: Sequence[FeedEntry]
) -> None:
    """Bring items, locations, costs, levels and values up to date."""
    known = read_entries(entries)
    # Before its new costs are added: each entry is valued with what was known when it was written.
    await inventory_value.revalue(session, prices, UUID(entries[0]["tenant_id"]), known)
    await read_models.apply_inventory(session, known)


async def apply_auth(session: AsyncSession, entries: Sequence[FeedEntry]) -> None:
    """Bring a tenant's currency up to date."""
    await read_models.apply_auth(session, read_entries(entries))
