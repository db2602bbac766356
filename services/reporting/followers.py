"""Whose journals reporting follows, and what their entries become here."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from services.reporting.audit import service as audit
from services.reporting.inventory_value import service as inventory_value
from services.reporting.read_models import service as read_models
from services.reporting.read_models.rules import read_entries
from services.reporting.resources import ReportingOwn
from shared.journal import JournalEntry
from shared.journal.follow import Follower
from shared.security.sealing import Sealer


def followers(own: ReportingOwn) -> Sequence[Follower]:
    """Return whose journals are followed; reporting's own is empty, it changes nothing itself."""
    return (
        Follower("auth", None, follow_auth),
        Follower("inventory", None, partial(follow_inventory, own.prices)),
        Follower("forecasting", None, follow_forecasting),
    )


async def follow_inventory(
    prices: Sealer, session: AsyncSession, entries: Sequence[JournalEntry]
) -> None:
    """Every entry for the audit trail; items, locations, costs and movements for the reports."""
    await audit.add_entries(session, "inventory", entries)
    known = read_entries(entries)
    # Before its new costs are added: each entry is valued with what was known when it was written.
    await inventory_value.revalue(session, prices, entries[0].tenant_id, known)
    await read_models.apply_inventory(session, known)


async def follow_auth(session: AsyncSession, entries: Sequence[JournalEntry]) -> None:
    """Every entry for the audit trail; a tenant's currency for the reports."""
    await audit.add_entries(session, "auth", entries)
    await read_models.apply_auth(session, read_entries(entries))


async def follow_forecasting(session: AsyncSession, entries: Sequence[JournalEntry]) -> None:
    """Every entry for the audit trail."""
    await audit.add_entries(session, "forecasting", entries)
