"""Retention as an operator sees it, and how often it runs by itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from shared import metrics
from shared.clock import utc_now
from shared.db import Database
from shared.errors import Unavailable
from shared.http import ServiceClient
from shared.journal.archive_folder import ArchiveFolder
from shared.journal.archived import ArchiveFound
from shared.journal.export import Exporter
from shared.journal.holds import ActiveHold, ActiveHolds
from shared.journal.keeper import Keeper
from shared.journal.notes import SigningKey
from shared.journal.retention import FindHolds, MonthStep, Retention, last_runs
from shared.journal.rows import RowKeeper
from shared.settings import ServiceSettings
from shared.told import Told

BETWEEN_RUNS = timedelta(hours=23)
_STATES = {
    "read": "read, and as sealed",
    "signed": "taken from its signed manifest, not read",
    "missing": "NOT READ, taken from its signed manifest",
    "unreadable": "NOT READ",
}


class KeepingHolder(Protocol):
    """What retention needs of a process's resources."""

    service: str
    database: Database
    signing_key: SigningKey
    keeper: Keeper
    archives: ArchiveFolder | None
    proving_types: frozenset[str]
    row_keeper: RowKeeper | None
    client: ServiceClient | None
    find_holds: FindHolds | None

    @property
    def settings(self) -> ServiceSettings: ...


def retention_of(resources: KeepingHolder) -> Retention | None:
    """Return how this service's journal is kept; None where there is no folder for archives."""
    if resources.archives is None:
        return None
    exporter = exporter_of(resources)
    return Retention(
        resources.database,
        resources.signing_key,
        resources.keeper,
        resources.archives,
        resources.settings.retention_transactions_years,
        resources.proving_types,
        exported_upto=exporter.last_checkpoint if exporter else None,
        find_holds=resources.find_holds or (lambda: _ask_for_holds(resources.client)),
        rows=resources.row_keeper,
    )


def exporter_of(resources: KeepingHolder) -> Exporter | None:
    """Return what exports this service's journal, None where that is not asked for."""
    settings = resources.settings
    if not settings.journal_export or settings.journal_folder is None:
        return None
    return Exporter(
        resources.database,
        resources.signing_key,
        settings.journal_folder / "export",
        max_bytes=settings.journal_export_max_mb * 1_000_000,
    )


async def _ask_for_holds(client: ServiceClient | None) -> Sequence[ActiveHold]:
    """Return the legal holds that auth knows of. Raises Unavailable."""
    if client is None:
        raise Unavailable
    found = await client.get_json("auth", "/internal/legal-holds")
    return ActiveHolds.model_validate(found).holds


async def keep_daily(resources: KeepingHolder, now: datetime) -> None:
    """Run retention if that was not done in the last day, or the last run failed."""
    retention = retention_of(resources)
    if retention is None:
        return
    runs = await last_runs(resources.database)
    done = next((run.ran_at for run in runs if not run.failed), None)
    shown = metrics.retention_last_success.labels(resources.service)
    shown.set(done.timestamp() if done else 0)
    if runs and not runs[0].failed and timedelta() <= now - runs[0].ran_at < BETWEEN_RUNS:
        return
    await retention.run(now)


async def keep(resources: KeepingHolder, *, is_trial: bool = False) -> Told:
    """Run retention now, or say what it would do. Raises SystemExit where nothing is archived."""
    retention = retention_of(resources)
    if retention is None:
        raise SystemExit(
            "Nothing leaves the journal: ARCHIVE_FOLDER and ARCHIVE_ENCRYPTION_KEY are not set."
        )
    report = await retention.run(utc_now(), is_trial=is_trial)
    lines = [_line(step, is_trial=is_trial) for step in report.steps]
    if report.why_nothing_goes and lines:
        lines.append(f"Nothing is removed: {report.why_nothing_goes}.")
    if report.failed:
        lines.append(f"Failed: {report.failed}. Nothing was removed after that.")
    said = "\n".join(lines or [f"{resources.service}: nothing is due."])
    return Told(said, report.content, is_bad=bool(report.failed))


def archive_lines(found: Sequence[ArchiveFound]) -> list[str]:
    """Return a line for each archived month: how it was proved, or why it was not read."""
    return [
        f"{each.month:%Y-%m}: {each.entries:,} entries, {_STATES[each.state]}"
        + (f": {each.reason}" if each.reason else ".")
        for each in found
    ]


def _line(step: MonthStep, *, is_trial: bool) -> str:
    what, each = ("", "entries") if step.kind == "journal" else (f"{step.kind}, ", "rows")
    entries = "" if step.entries is None else f", {step.entries:,} {each}"
    done = "done" if step.done else "would be done" if is_trial and not step.reason else "not done"
    return f"{step.month}: {what}{step.action}{entries}: {done}" + (
        f": {step.reason}." if step.reason else "."
    )
