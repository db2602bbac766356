"""Retention: months of a journal older than policy go from the table into archives.

Each month is archived in one run, detached in a later one, and its table dropped after a grace. So
at every moment the table or an archive that was read back holds every entry, wherever a run is
killed. Nothing is removed after a failure, or by a clock that cannot be believed. ADR 0048.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any, Literal

import httpx
from sqlalchemy import Row, TextClause, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from shared import metrics
from shared.db import Database
from shared.errors import Unavailable
from shared.journal import verification
from shared.journal.archive_check import check_archive
from shared.journal.archive_folder import ArchiveFolder
from shared.journal.archived import ArchiveForged, ArchiveManifest, parse_manifest
from shared.journal.archiving import NotArchived, archive_month, count_entries, has_types
from shared.journal.checkpoint import become_verifier
from shared.journal.export import alone
from shared.journal.holds import ActiveHold, find_hold
from shared.journal.keeper import Keeper, make_private
from shared.journal.notes import SigningKey
from shared.journal.retention_rules import (
    CLOCKS_APART_MAX,
    GRACE,
    Run,
    has_leapt,
    is_over,
    why_nothing_goes,
)
from shared.journal.rows import RowKeeper, RowMonth
from shared.log import log
from shared.sealed_files.errors import SafekeepingError

FindHolds = Callable[[], Awaitable[Sequence[ActiveHold]]]
LOCK_ATTEMPTS = 5
LOCK_RETRY_S = 3.0
_LOCK_NOT_AVAILABLE = "55P03"
_BUSY = "its table was in use; tried again in the next run"


@dataclass(frozen=True, slots=True)
class MonthStep:
    """What was, or would be, done with a month."""

    action: Literal["archive", "detach", "drop"]
    month: str
    entries: int | None
    done: bool
    reason: str | None = None  # Why it was not.
    kind: str = "journal"


@dataclass(slots=True)
class RetentionReport:
    """What a run did. With `failed` nothing was removed after that."""

    service: str
    at: str
    steps: list[MonthStep] = field(default_factory=list)
    why_nothing_goes: str | None = None
    failed: str | None = None

    def add(
        self, action: Literal["archive", "detach", "drop"], month: date, entries: int | None,
        reason: str | None, *, done: bool, kind: str = "journal",
    ) -> None:  # fmt: skip
        step = MonthStep(action, f"{month:%Y-%m}", entries, done, reason, kind)
        self.steps.append(step)
        if done:
            log.info("retention", **asdict(step))

    @property
    def content(self) -> dict[str, Any]:
        """Return it for programs."""
        return asdict(self)


class _Failed(Exception):
    """Something is not as it must be: the run ends here."""


@dataclass(frozen=True, slots=True)
class Retention:
    """What one service's journal is kept by."""

    database: Database
    key: SigningKey
    keeper: Keeper
    folder: ArchiveFolder
    years: int
    # Of entries that rows of this service are still compared with: their months stay.
    proving_types: frozenset[str] = frozenset()
    # Up to which checkpoint all is exported, where that is done at all.
    exported_upto: Callable[[], int] | None = None
    # Legal holds, asked for anew before each month goes. Raises Unavailable, which ends the run.
    find_holds: FindHolds | None = None
    # Of rows that leave their own table before their entries leave the journal.
    rows: RowKeeper | None = None

    async def run(self, now: datetime, *, is_trial: bool = False) -> RetentionReport:
        """Do what is due, or only say what would be done."""
        report = RetentionReport(self.key.service, now.isoformat())
        make_private(self.folder.path)
        with alone(self.folder.path / ".lock") as is_alone:
            if not is_alone:
                report.failed = "another run is at it"
                return report
            try:
                await self._run(report, now, is_trial=is_trial)
            except (_Failed, SafekeepingError, ArchiveForged, OSError) as error:
                report.failed = str(error)
                log.error("retention failed: nothing more is removed", reason=report.failed)
            if not is_trial:
                await self._note(report, now)
        return report

    async def _run(self, report: RetentionReport, now: datetime, *, is_trial: bool) -> None:
        async with self.database.engine.connect() as connection:
            facts = (await connection.execute(_FACTS)).one()
            runs = [Run(*row) for row in await connection.execute(_RUNS)]
            months = (await connection.scalars(_MONTHS)).all()
            archives = (await connection.execute(_ARCHIVES)).all()
        if abs(facts.now - now) > CLOCKS_APART_MAX:
            raise _Failed("this clock and the database's differ by more than five minutes")
        known = {row.month for row in archives}
        due = [each for each in months if is_over(each, now.date(), self.years)]
        fresh = [month for month in due if month not in known]
        attached = [row for row in archives if row.detached_at is None]
        ripe = [row for row in archives if not row.dropped_at and row.detached_at
                and now - row.detached_at > GRACE]  # fmt: skip
        report.why_nothing_goes = why_nothing_goes(now, runs)
        if facts.is_mirrored:
            report.why_nothing_goes = "there is a mirror, whose tables would stay: drop it first"
        rows = await self.rows.list_due(now) if self.rows else ()
        if not (fresh or attached or ripe or rows):
            return
        await self._require_verified()
        if self.rows and rows:
            await self._keep_rows(report, self.rows, rows, is_trial=is_trial)
        for month in fresh:
            await self._archive(report, month, now, is_trial=is_trial)
        for row in attached:
            await self._detach(report, row, now, is_trial=is_trial)
        if any(step.done and step.action == "detach" for step in report.steps):
            await self._require_verified(self.folder)
        for row in ripe:
            await self._drop(report, row, is_trial=is_trial)

    async def _archive(
        self, report: RetentionReport, month: date, now: datetime, *, is_trial: bool
    ) -> None:
        async with self.database.engine.connect() as connection:
            await become_verifier(connection, self.key)
            if not await count_entries(connection, month):
                return
            is_needed = await has_types(connection, month, self.proving_types)
        reason = "rows are there that its entries prove" if is_needed else None
        if reason or is_trial:
            report.add("archive", month, None, reason, done=False)
            return
        try:
            manifest = await archive_month(self.database, self.key, self.folder, month, now=now)
        except NotArchived as refused:
            report.add("archive", month, None, str(refused), done=False)
            return
        metrics.retention_rows_archived.labels("journal").inc(manifest.entries)
        report.add("archive", month, manifest.entries, None, done=True)

    async def _keep_rows(
        self, report: RetentionReport, keeper: RowKeeper, due: Sequence[RowMonth], *, is_trial: bool
    ) -> None:
        """Do what is due of rows: each month once all before it have left."""
        tenants = {tenant for each in due for tenant in each.tenants}
        if not await keeper.is_verified(tenants):
            raise _Failed(f"the {keeper.kind} do not verify; `verify` names the place")
        earlier: str | None = None
        for each in due:
            reason = each.need or report.why_nothing_goes
            if each.action == "detach":
                reason = reason or earlier
            reason = reason or await self._find_hold(each.month, each.tenants, since=each.since)
            if reason is None and not is_trial:
                go = keeper.detach if each.action == "detach" else keeper.drop
                is_done = await self._with_patience(each.month, partial(go, each.month))
                reason = None if is_done else _BUSY
            done = reason is None and not is_trial
            report.add(each.action, each.month, each.rows, reason, done=done, kind=keeper.kind)
            if done and each.action == "detach":
                metrics.retention_rows_archived.labels(keeper.kind).inc(each.rows)
            elif reason and each.action == "detach":
                earlier = "a month before it stays"
        is_detached = any(step.done and step.kind == keeper.kind for step in report.steps)
        if is_detached and not await keeper.is_verified(tenants):
            raise _Failed(f"the {keeper.kind} do not verify any more; `verify` names the place")

    async def _detach(
        self, report: RetentionReport, row: Row[Any], now: datetime, *, is_trial: bool
    ) -> None:
        reason = report.why_nothing_goes
        if not is_over(row.month, now.date(), self.years):
            reason = "policy keeps it now"
        if reason is None:
            reason = await self._find_reader(row) or self._find_export(row)
        if reason is None:
            reason = await self._find_hold(row.month, self._tenants_of(row))
        if reason or is_trial:
            report.add("detach", row.month, row.entries, reason, done=False)
            return
        await self._require_archive(row)
        is_done = await self._with_patience(row.month, partial(self._call, _DETACH, row.month))
        report.add("detach", row.month, row.entries, None if is_done else _BUSY, done=is_done)

    async def _drop(self, report: RetentionReport, row: Row[Any], *, is_trial: bool) -> None:
        reason = report.why_nothing_goes
        reason = reason or await self._find_hold(row.month, self._tenants_of(row))
        if reason or is_trial:
            report.add("drop", row.month, row.entries, reason, done=False)
            return
        await self._require_archive(row)
        await self._call(_DROP, row.month)
        report.add("drop", row.month, row.entries, None, done=True)

    async def _call(self, statement: TextClause, month: date) -> None:
        async with self.database.engine.begin() as connection:
            await be_patient(connection)
            await connection.execute(statement, {"month": month})

    async def _with_patience(self, month: date, go: Callable[[], Awaitable[None]]) -> bool:
        """Let a month's table go; say whether it could be had. Readers wait two seconds at most."""
        for attempt in range(LOCK_ATTEMPTS):
            if attempt:
                await asyncio.sleep(LOCK_RETRY_S)
            try:
                await go()
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", "") != _LOCK_NOT_AVAILABLE:
                    raise _Failed(f"{month:%Y-%m} did not leave: {error.orig}") from error
            else:
                return True
        return False

    async def _find_reader(self, row: Row[Any]) -> str | None:
        async with self.database.engine.connect() as connection:
            behind = await connection.scalar(_BEHIND, {"xid": row.last_xid, "seq": row.last_seq})
        return f"{behind} has not followed the journal past it" if behind else None

    def _find_export(self, row: Row[Any]) -> str | None:
        if self.exported_upto is None:
            return None
        manifest = parse_manifest(row.manifest, self.key.public)
        is_behind = self.exported_upto() < manifest.checkpoints[1]
        return "the export of the journal has not come to it" if is_behind else None

    def _tenants_of(self, row: Row[Any]) -> Sequence[str]:
        return parse_manifest(row.manifest, self.key.public).tenants

    async def _find_hold(
        self, month: date, tenants: Sequence[str], *, since: date | None = None
    ) -> str | None:
        """Return why a month is held; nothing goes while that cannot be asked."""
        if self.find_holds is None:
            return None
        try:
            holds = await self.find_holds()
        except (Unavailable, httpx.HTTPError) as error:
            raise _Failed("auth does not answer which legal holds there are") from error
        hold = find_hold(holds, self.key.service, month, tenants, since=since)
        return f"legal hold {hold.id} keeps it" if hold else None

    async def _require_archive(self, row: Row[Any]) -> None:
        """Read an archive once more, whole, before anything goes that it holds."""
        manifest: ArchiveManifest = parse_manifest(row.manifest, self.key.public)
        if self.folder.find_manifest(row.month, self.key.public) != manifest:
            raise _Failed(f"the archive of {manifest.label} is not there, or is another one")
        async with self.database.engine.connect() as connection:
            difference = await check_archive(connection, self.folder, manifest)
        if difference is not None:
            raise _Failed(f"the archive of {manifest.label} does not verify")

    async def _require_verified(self, archives: ArchiveFolder | None = None) -> None:
        found = await verification.verify(
            self.database, self.key, keeper=self.keeper, archives=archives
        )
        if not found.ok:
            raise _Failed("the journal does not verify; `verify` names the place")

    async def _note(self, report: RetentionReport, now: datetime) -> None:
        async with self.database.engine.begin() as connection:
            runs = [Run(*row) for row in await connection.execute(_RUNS)]
            values = {
                "ran_at": now,
                "leapt": has_leapt(now, runs),
                "failed": report.failed is not None,
                "report": json.dumps(report.content),
            }
            await connection.execute(_NOTE, values)
        if report.failed is None:
            metrics.retention_last_success.labels(self.key.service).set(now.timestamp())


async def last_runs(database: Database) -> Sequence[Run]:
    """Return the newest runs, the newest first."""
    async with database.engine.connect() as connection:
        return [Run(*row) for row in await connection.execute(_RUNS)]


async def be_patient(connection: AsyncConnection | AsyncSession) -> None:
    """Wait two seconds for a lock, behind which others wait; then count for as long as it takes."""
    await connection.execute(text("SET LOCAL lock_timeout = '2s'"))
    await connection.execute(text("SET LOCAL statement_timeout = 0"))


_FACTS = text("""
    SELECT clock_timestamp() AS now, EXISTS (
        SELECT FROM pg_publication WHERE pubname LIKE 'stock_mirror%') AS is_mirrored""")
_RUNS = text("SELECT ran_at, leapt, failed FROM retention_runs ORDER BY number DESC LIMIT 30")
_MONTHS = text("""
    SELECT to_date(c.relname, '"journal_"YYYY_MM')
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = to_regclass('journal') AND c.relname ~ '^journal_[0-9]{4}_[0-9]{2}$'
    ORDER BY 1""")
_ARCHIVES = text("""
    SELECT month, manifest, entries, last_xid, last_seq, archived_at, detached_at, dropped_at
    FROM journal_archives ORDER BY month""")
_BEHIND = text("""
    SELECT reader FROM feed_readers WHERE (xid, seq) < (:xid, :seq) ORDER BY reader LIMIT 1""")
_DETACH = text("SELECT detach_journal_month(:month)")
_DROP = text("SELECT drop_journal_month(:month)")
_NOTE = text("""
    INSERT INTO retention_runs (ran_at, leapt, failed, report)
    VALUES (:ran_at, :leapt, :failed, CAST(:report AS json))""")
