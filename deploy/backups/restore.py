"""Restoring: a plan first, then everything in a folder of its own, and at the end a rename."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from deploy.backups import journaling, recovery
from deploy.backups.erasures import ErasedList, list_known, read_list
from deploy.backups.errors import BackupError
from deploy.backups.outcome import RestoreOutcome, Say
from deploy.backups.proving import Prover, check_pages, of_database, require_reached
from deploy.backups.reach import Reach, choose, describe, reach_of
from deploy.backups.repository import Repository
from deploy.backups.rules import NAME_FORMAT, written
from deploy.backups.server import BackedServer
from deploy.backups.wal import seal_spool
from deploy.local.processes import Plan
from shared.clock import utc_now
from shared.journal.keeper import sync_folder
from shared.sealed_files.keys import Keyring


@dataclass(frozen=True)
class RestorePlan:
    """What would be restored, and from what."""

    repository: Repository
    reach: Reach
    at: datetime | None
    reachable: str
    erased: ErasedList

    def lines(self, target: Path) -> list[str]:
        """Return the plan as people read it."""
        backup, reach = self.reach.backup, self.reach
        log = len(reach.segments) + (reach.partial is not None)
        moment = written(self.at) if self.at else f"the end, about {written(reach.until)}"
        return [
            f"Restore to   {moment}",
            f"From backup  {backup.name}, {backup.content_size / 1e6:,.0f} MB unpacked",
            f"Which ended  {written(backup.ended_at)}",
            f"And the log  {log:,} files, {log * backup.segment_bytes / 1e6:,.0f} MB",
            f"Cluster      {backup.cluster}, timeline {backup.timeline}",
            f"Reachable    {self.reachable}",
            f"Erased       {len(self.erased.persons):,} persons by the list, who are erased again",
            f"Into         {target}",
        ]


def plan_restore(
    repository: Repository,
    keyring: Keyring,
    at: datetime | None,
    *,
    spool: Path | None,
    has_list: bool = True,
) -> RestorePlan:
    """Say what a restore to a moment would do; None is the last moment. Raises BackupError.

    What was received of the write-ahead log and not sealed yet is sealed first: the last second
    lies there. `has_list` False: the list of erasures is lost, and left out.
    """
    has_more = False
    for folder in sorted(spool.glob("*/")) if spool is not None else ():
        has_more = seal_spool(repository, keyring, folder) or has_more
    reaches = [reach_of(one, repository, keyring) for one in repository.manifests(keyring)]
    reach = choose(reaches, at, has_more=has_more)
    erased = ErasedList()
    if has_list:
        erased = read_list(repository, keyring, known=list_known(repository, keyring))
    return RestorePlan(repository, reach, at, describe(reaches), erased)


def new_outcome(kind: str, plan: RestorePlan) -> RestoreOutcome:
    """Return what is known before anything is done."""
    return RestoreOutcome(
        kind,
        plan.repository.cluster,
        plan.reach.backup.name,
        written(plan.at) if plan.at else None,
        written(utc_now()),
    )


async def restore_into(
    plan: RestorePlan,
    keyring: Keyring,
    target: Path,
    local: Plan | None,
    outcome: RestoreOutcome,
    say: Say,
    *,
    outside: Path | None = None,
) -> None:
    """Prove all files, unpack them into a new folder, recover, and check what came out.

    Fills in the outcome. `local` is how the services are run for their checks, None leaves these
    out; `outside` holds the newest checkpoints of their journals. Raises BackupError; then nothing
    but that folder was touched, and it is gone.
    """
    reach = plan.reach
    began = time.monotonic()
    try:
        recovery.require_version(reach)
        with outcome.step("prove files", say):
            outcome.bytes_proved = await asyncio.to_thread(
                recovery.prove_files, reach, plan.repository, keyring
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        recovery.require_room(target.parent, outcome.bytes_proved)
        with outcome.step("unpack", say):
            await asyncio.to_thread(recovery.unpack, reach, plan.repository, keyring, target)
        with _recovering(plan, target, outcome, say) as dsn:
            await _check(plan, dsn, local, outcome, say)
            if outcome.kind == "restore" and local is not None:
                await _begin_anew(plan, dsn, local, outcome, outside)
        outcome.ok = True
    except BaseException as error:
        shutil.rmtree(target, ignore_errors=True)
        outcome.error = str(error) or type(error).__name__
        raise
    finally:
        outcome.duration_s = round(time.monotonic() - began, 3)


@contextmanager
def _recovering(
    plan: RestorePlan, target: Path, outcome: RestoreOutcome, say: Say
) -> Iterator[str]:
    began = time.monotonic()
    with recovery.recovered(plan.reach, target, plan.at) as dsn:
        outcome.steps["recover"] = round(time.monotonic() - began, 3)
        say(f"{'recover':<12} {outcome.steps['recover']:6.1f} s")
        yield dsn


async def _check(
    plan: RestorePlan, dsn: str, local: Plan | None, outcome: RestoreOutcome, say: Say
) -> None:
    """Check all that can be checked here. Raises NothingProved."""
    reached = await require_reached(dsn, plan.reach, is_whole=plan.at is None)
    outcome.reached_lsn, outcome.last_commit = reached.lsn, reached.last_commit
    with outcome.step("check pages", say):
        outcome.checks["amcheck"] = await check_pages(dsn)
    if local is None:
        return
    prover = Prover(local, dsn)
    with outcome.step("migrate", say):
        await prover.prepare()
    with outcome.step("verify", say):
        outcome.checks |= await prover.verify(plan.reach.backup.heads)


async def _begin_anew(
    plan: RestorePlan, dsn: str, local: Plan, outcome: RestoreOutcome, outside: Path | None
) -> None:
    """Do in the restored database what must be done before it is used."""
    prover = Prover(local, dsn)
    outcome.behind = await prover.list_behind(outside, plan.reach.backup.heads)
    name, said = await _erase_again(plan, prover)
    outcome.checks[name] = said
    name, said = await prover.command("auth", "end-sessions")
    outcome.checks[name] = said
    outcome.duration_s = round(sum(outcome.steps.values()), 3)
    await journaling.record(BackedServer(of_database(dsn)), journaling.restored(outcome))


async def _erase_again(plan: RestorePlan, prover: Prover) -> tuple[str, str]:
    """Erase in the restored database who is on the list of erasures; return what auth said."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "erasures.jsonl"
        lines = [person.model_dump_json() + "\n" for person in plan.erased.persons]
        await asyncio.to_thread(path.write_text, "".join(lines))
        return await prover.command("auth", "erase-again", str(path))


def swap_in(fresh: Path, data_dir: Path, now: datetime) -> Path | None:
    """Put a restored folder where the database lies; return where the one before is kept."""
    kept: Path | None = None
    if data_dir.exists():
        kept = data_dir.with_name(f"{data_dir.name}.before-{now.strftime(NAME_FORMAT)}")
        data_dir.rename(kept)
    fresh.rename(data_dir)
    sync_folder(data_dir.parent)
    return kept


def set_heads_aside(folder: Path | None, behind: list[str], now: datetime) -> list[Path]:
    """Move away the kept checkpoints of journals that were restored to before them."""
    moved = []
    for service in behind if folder is not None else ():
        path = folder / f"{service}.checkpoint" if folder is not None else Path()
        if path.exists():
            aside = path.with_name(f"{path.name}.before-{now.strftime(NAME_FORMAT)}")
            path.rename(aside)
            moved.append(aside)
    return moved


def find_repository(backup_dir: Path, cluster: str | None) -> Repository:
    """Return the backups of the one cluster that is meant. Raises BackupError."""
    found = sorted(path.name for path in backup_dir.resolve().glob("*/") if path.name.isdigit())
    if cluster is None and len(found) == 1:
        [cluster] = found
    if cluster is None or cluster not in found:
        here = ", ".join(found) or "none"
        raise BackupError(
            f"Say of which cluster backups are meant (CLUSTER=…): in {backup_dir} there are {here}."
        )
    return Repository.of(backup_dir, cluster)
