"""What the job wrote into the journal is what is told; the job is in tests/e2e/test_backups.py."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.auth.backups import service
from services.auth.resources import open_service
from services.auth.settings import Settings
from shared import journal
from shared.clock import utc_now
from shared.contracts.auth.backups import BackupDrilled, BackupFailed, BackupMade
from shared.contracts.auth.tenants import DEFAULT_TENANT_ID
from shared.db import Stamp

pytestmark = pytest.mark.stack
ABOUT: dict[str, Any] = {"backup": "20261120T020000Z", "cluster": "7", "duration_s": 2.5}


class _TakenBackError(Exception):
    """Other tests have an installation without backups."""


async def test_the_newest_of_each_kind_is_told_with_its_age(make_settings: Callable[..., Settings]):
    resources = open_service(make_settings())
    now = utc_now()
    made = {"size_bytes": 9, "sha256": "ab"}

    with suppress(_TakenBackError):
        async with resources.database.transaction(Stamp(DEFAULT_TENANT_ID, "backup")) as session:
            first = await service.get_report(session, now)
            for hours in (27, 3):
                ended_at = now - timedelta(hours=hours)
                journal.record(session, BackupMade(**ABOUT, ended_at=ended_at, **made))
                await session.flush()
            well = await service.get_state(session, now)
            late = await service.get_state(session, now + timedelta(hours=24))
            drilled = BackupDrilled(**ABOUT, ok=True, error=None, last_commit=None)
            journal.record(session, drilled)
            journal.record(session, BackupFailed(**ABOUT, error="The disk is full."))
            await session.flush()
            report = await service.get_report(session, now)
            plan = await session.scalars(
                text("EXPLAIN SELECT 1 FROM journal WHERE type = 'auth.backup-made.v1'")
            )
            found_by = "\n".join(plan)
            raise _TakenBackError
    await resources.close()

    assert (first["state"], first["last"]) == ("none", None)
    assert (well, late, report["state"]) == ("made", "late", "failed")
    assert report["last"] == {"at": now - timedelta(hours=3), "age_s": 10_800, **ABOUT, **made}
    assert report["last_drill"]["ok"] is True
    assert report["last_failed"]["error"] == "The disk is full."
    assert report["last_restore"] is None
    assert "_type_seq_idx" in found_by
