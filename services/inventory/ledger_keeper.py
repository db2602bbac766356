"""Letting old months leave the ledger, once openings say what they came to."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime
from uuid import UUID

from services.inventory.openings import service
from services.inventory.verification import service as verification
from shared.db import Database, Stamp
from shared.journal.retention import be_patient
from shared.journal.retention_rules import GRACE, is_over
from shared.journal.rows import RowMonth


class LedgerKeeper:
    """What retention does with the ledger: its rows leave it, their entries stay in the journal."""

    kind = "movements"

    def __init__(self, database: Database, years: int) -> None:
        self._database = database
        self._years = years

    async def list_due(self, now: datetime) -> Sequence[RowMonth]:
        """Return what is due, the oldest first; a month without rows is none."""
        found: list[RowMonth] = []
        async with self._database.transaction(_stamp(None)) as session:
            await be_patient(session)
            for each in await service.list_archives(session):
                if now - each["detached_at"] > GRACE:
                    tenants = tuple(map(str, each["tenants"]))
                    since = _day(each["first_at"])
                    rows = each["movements"]
                    found.append(RowMonth("drop", each["month"], since, rows, tenants))
            for month in await service.list_months(session):
                if not is_over(month, now.date(), self._years):
                    break
                sums = await service.sum_month(session, month)
                if sums:
                    since = _day(min(each["first_at"] for each in sums))
                    rows = sum(each["movements"] for each in sums)
                    tenants = tuple(str(each["tenant_id"]) for each in sums)
                    need = await service.find_need(session, month)
                    found.append(RowMonth("detach", month, since, rows, tenants, need))
        return sorted(found, key=lambda each: each.month)

    async def is_verified(self, tenants: Collection[str]) -> bool:
        """Say whether stock, ledger, openings and journal of these tenants agree."""
        for tenant in sorted(tenants):
            async with self._database.transaction(_stamp(UUID(tenant))) as session:
                await be_patient(session)
                if await verification.list_differences(session):
                    return False
        return True

    async def detach(self, month: date) -> None:
        """Take a month out of the ledger, with its openings journaled in the same transaction."""
        async with self._database.transaction(_stamp(None)) as session:
            await be_patient(session)
            await service.detach_month(session, month)

    async def drop(self, month: date) -> None:
        async with self._database.transaction(_stamp(None)) as session:
            await be_patient(session)
            await service.drop_month(session, month)


def _stamp(tenant_id: UUID | None) -> Stamp:
    return Stamp(tenant_id, service.ACTOR)


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()
