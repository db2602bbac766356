"""What a person does with backups: `make backup`, `make restore`, `make drill` and the like."""

import asyncio
import sys
from argparse import Namespace
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from deploy.backups import journaling
from deploy.backups.drill import drill, keep_evidence
from deploy.backups.erasures import begin_anew, list_known, read_list
from deploy.backups.errors import BackupError
from deploy.backups.local import Place
from deploy.backups.manifest import Manifest
from deploy.backups.outcome import RestoreOutcome
from deploy.backups.reach import Reach, describe, reach_of
from deploy.backups.recovery import prove_files
from deploy.backups.repository import Repository
from deploy.backups.restore import (
    RestorePlan,
    find_repository,
    new_outcome,
    plan_restore,
    restore_into,
    set_heads_aside,
    swap_in,
)
from deploy.backups.rules import read_moment, written
from deploy.backups.run import remote_of, run_backup
from deploy.backups.server import BackedServer
from shared.clock import utc_now

Say = Callable[[str], None]
Content = dict[str, Any]  # Of the answer, for programs.


async def back_up(place: Place, _asked: Namespace, say: Say) -> Content:
    """Make a backup now, beside the running stack."""
    place.require_running()
    server = BackedServer(place.settings.database_url.get_secret_value())
    made = await run_backup(place.settings, server, await server.identify(), say)
    return {"backup": _told(made.manifest), "duration_s": round(made.duration_s, 3)}


async def list_backups(place: Place, asked: Namespace, say: Say) -> Content:
    """Say which backups there are and which moments can be restored."""
    repository = _repository(place, asked)
    keyring = place.settings.keyring
    manifests = repository.readable_manifests(keyring, lambda error: say(f"BAD  {error}"))
    reaches = [reach_of(manifest, repository, keyring) for manifest in manifests]
    for reach in reaches:
        one = reach.backup
        alone = "" if reach.missing is None else f", the log ends before {reach.missing}"
        say(
            f"{one.name}  {one.size / 1e6:9,.1f} MB  timeline {one.timeline}  from "
            f"{written(one.ended_at)} to {written(reach.until)}{alone}"
        )
    say(f"Reachable: {describe(reaches) or 'nothing'}")
    return {"backups": [_reached(reach) for reach in reaches]}


async def check(place: Place, asked: Namespace, say: Say) -> Content:
    """Open, unpack and prove every file of every backup. Raises BackupError at a bad one."""
    repository = _repository(place, asked)
    keyring = place.settings.keyring
    proved = []
    for manifest in repository.manifests(keyring):
        reach = reach_of(manifest, repository, keyring)
        size = await asyncio.to_thread(prove_files, reach, repository, keyring)
        say(f"{manifest.name}: {size / 1e6:,.0f} MB proved, up to {written(reach.until)}")
        if reach.missing is not None:
            raise BackupError(f"The log ends before {reach.missing}, which is missing.")
        proved.append(_reached(reach) | {"bytes_proved": size})
    return {"backups": proved}


async def fetch(place: Place, asked: Namespace, say: Say) -> Content:
    """Fetch from the remote what this machine lacks."""
    if not asked.cluster:
        raise BackupError("Say of which cluster: CLUSTER=…, the name of its folder at the remote.")
    repository = Repository.of(place.settings.backup_dir, asked.cluster)
    remote = remote_of(place.settings, asked.cluster)
    if remote is None:
        raise BackupError("BACKUP_REMOTE is not set, so there is nothing to fetch from.")
    names = [name for name in remote.names() if not (repository.folder / name).exists()]
    for name in names:
        await asyncio.to_thread(remote.fetch, repository, name)
    say(f"Fetched {len(names):,} files into {repository.folder}.")
    return {"fetched": names, "folder": str(repository.folder)}


async def list_erasures(place: Place, asked: Namespace, say: Say) -> Content:
    """Print who is on the list of erasures, a line of JSON for each. Raises BackupError.

    With `anew` it begins anew first, of what the running database knows.
    """
    repository, keyring = _repository(place, asked), place.settings.keyring
    known = list_known(repository, keyring)
    if asked.anew:
        place.require_running()
        server = BackedServer(place.settings.database_url.get_secret_value())
        await begin_anew(server, repository, keyring, known=known)
    listed = read_list(repository, keyring, known=known).persons
    for person in listed:
        say(person.model_dump_json())
    return {"erased": [person.model_dump(mode="json") for person in listed]}


async def rehearse(place: Place, asked: Namespace, say: Say) -> Content:
    """Restore into a folder of its own, check all, and throw it away."""
    plan = _plan(place, asked, spool=None)
    for line in plan.lines(place.scratch):
        say(line)
    try:
        outcome = await drill(plan, place.settings.keyring, place.scratch, place.local, say)
    except BackupError as error:
        await _note_drill(place, plan, str(error))
        raise
    for name, said in outcome.checks.items():
        say(f"{name}: {said}")
    say(f"Proved in {outcome.duration_s:.1f} s; nothing in use was touched.")
    server = BackedServer(place.settings.database_url.get_secret_value())
    await journaling.record(server, journaling.drilled(outcome))
    return asdict(outcome)


async def restore(place: Place, asked: Namespace, say: Say) -> Content:
    """Put the database back to a moment, in place of the one that lies there."""
    target = Path(asked.into) if asked.into else place.data_dir
    if target is None:
        raise BackupError(
            "This database is not run from here: name a new folder with --into, and start "
            "PostgreSQL on it where it belongs."
        )
    if asked.into and target.exists():
        raise BackupError(f"{target} is there already; name a folder that is not.")
    # What is received and not sealed yet belongs to the job while it runs.
    spool = None if place.instance.is_held() else place.settings.backup_spool_dir.resolve()
    with nullcontext() if asked.into else place.instance.hold():
        plan = _plan(place, asked, spool=spool)
        for line in plan.lines(target):
            say(line)
        if asked.without_erasures:
            say("The list of erasures is left out: erase by hand who was erased since.")
        if not asked.yes and not _is_agreed():
            say("Nothing was done.")
            return {"restored": False}
        put_back = _restore_aside if asked.into else _restore_in_place
        outcome = await put_back(place, plan, target, say)
    return {"restored": True, "into": str(target)} | asdict(outcome)


async def _restore_aside(place: Place, plan: RestorePlan, target: Path, say: Say) -> RestoreOutcome:
    outcome = new_outcome("restore", plan)
    try:
        await restore_into(plan, place.settings.keyring, target, place.local, outcome, say)
    finally:
        keep_evidence(plan, outcome)
    say(f"Restored into {target} in {outcome.duration_s:.1f} s.")
    if place.local is None and plan.erased.persons:
        say(
            "Not erased again: the services are not run from here. Before anybody uses it, with "
            "the environment of auth's worker: `python -m deploy.backups erasures > list.jsonl`, "
            "`python -m services.auth erase-again list.jsonl`."
        )
    return outcome


async def _restore_in_place(
    place: Place, plan: RestorePlan, target: Path, say: Say
) -> RestoreOutcome:
    outcome = new_outcome("restore", plan)
    fresh = target.with_name(f"{target.name}.restoring")
    if fresh.exists():
        raise BackupError(f"{fresh} is left from a restore that was killed; remove it.")
    folder = place.settings.journal_folder
    try:
        await restore_into(
            plan, place.settings.keyring, fresh, place.local, outcome, say, outside=folder
        )
        now = utc_now()
        kept = swap_in(fresh, target, now)
        fresh.with_name(f"{fresh.name}.log").unlink(missing_ok=True)
        for path in set_heads_aside(folder, outcome.behind, now):
            say(f"Set aside    {path}: the journal was restored to before it")
        _empty_caches(place.redis_url)
    finally:
        evidence = keep_evidence(plan, outcome)
    for name, said in outcome.checks.items():
        say(f"{name}: {said}")
    if kept is not None:
        say(f"Kept         {kept}, the database that was there")
    say(
        f"Restored to {outcome.last_commit or 'the end'} in {outcome.duration_s:.1f} s. Everybody "
        f"signs in again; keys of the API that were revoked since are valid again: look at them.\n"
        f"Evidence: {evidence}. Start it with `make up`; a new backup is then made at once."
    )
    return outcome


def _told(manifest: Manifest) -> Content:
    return manifest.model_dump(mode="json", include=_TOLD)


def _reached(reach: Reach) -> Content:
    until = written(reach.until)
    return _told(reach.backup) | {"restorable_until": until, "log_missing_from": reach.missing}


_TOLD = {"name", "cluster", "timeline", "started_at", "ended_at", "size", "content_size", "files"}


async def _note_drill(place: Place, plan: RestorePlan, error: str) -> None:
    outcome = new_outcome("drill", plan)
    outcome.error = error
    server = BackedServer(place.settings.database_url.get_secret_value())
    await journaling.record(server, journaling.drilled(outcome))


def _plan(place: Place, asked: Namespace, *, spool: Path | None) -> RestorePlan:
    at: datetime | None = None
    if asked.at:
        try:
            at = read_moment(asked.at)
        except ValueError as error:
            raise BackupError(f"AT: {error}.") from error
    repository = _repository(place, asked)
    own = spool / repository.cluster if spool is not None else None
    has_list = not asked.without_erasures
    return plan_restore(repository, place.settings.keyring, at, spool=own, has_list=has_list)


def _repository(place: Place, asked: Namespace) -> Repository:
    return find_repository(place.settings.backup_dir, asked.cluster or None)


def _empty_caches(redis_url: str) -> None:
    """Empty the person's own Redis: what it holds was true of another past."""
    if not redis_url:
        return
    try:
        with Redis.from_url(redis_url) as redis:
            redis.flushdb()
    except RedisError as error:
        raise BackupError(
            f"The database is restored, but REDIS_URL could not be emptied ({error}): run FLUSHDB "
            "there before you start anything."
        ) from error


def _is_agreed() -> bool:
    """Say whether a person at the terminal agrees to the plan."""
    if not sys.stdin.isatty():
        raise BackupError("Nobody is there to agree; say YES=1 (--yes) if this is meant.")
    return input("Restore this? Type yes: ").strip().lower() == "yes"
