"""`make rebuild`, `make rotate-keys`: a verb of a service, with the environment its worker has."""

import subprocess
from pathlib import Path

from deploy.local import secrets
from deploy.local.errors import StackError
from deploy.local.instance import Instance
from deploy.local.launch import Program
from deploy.local.processes import WORKER_VERBS, Plan, processes
from deploy.local.settings import LocalSettings

FOLLOWERS = tuple(service for service, verbs in WORKER_VERBS.items() if "follow" in verbs)
# Whom each verb is for: inventory follows for its webhooks, which are no read model.
CHOICES = {
    "rebuild": tuple(service for service in FOLLOWERS if service != "inventory"),
    "retry": FOLLOWERS,
}


def maintain(settings: LocalSettings, state_dir: Path, service: str, words: list[str]) -> int:
    """Run `python -m services.<service> <words>` beside the running stack; return its exit code.

    Raises StackError when nothing runs, or the verb is not for the service.
    """
    verb = words[0]
    possible = CHOICES.get(verb, tuple(WORKER_VERBS))
    if service not in possible:
        choices = " or ".join(f"SERVICE={each}" for each in possible)
        raise StackError(f"Say which service is meant: make {verb} {choices}.")
    worker = worker_of(settings, state_dir, service)
    done = subprocess.run(  # noqa: S603 - our own program.
        [*worker.command[:3], *words],  # python -m services.<service>
        env=dict(worker.environment),
        cwd=worker.folder,
        check=False,
    )
    return done.returncode


def worker_of(settings: LocalSettings, state_dir: Path, service: str) -> Program:
    """Return the worker of a service, as it runs here. Raises StackError when nothing runs."""
    note = Instance(state_dir).find()
    if note is None or not note.ready:
        raise StackError("Nothing is running; start it with `make up`.")
    keys = secrets.read(state_dir / "secrets.env")
    chosen = {name: settings.environment.get(name) or value for name, value in keys.items()}
    plan = Plan(settings, chosen, note.superuser_dsn, note.redis_url)
    [worker] = [row.program for row in processes(plan) if row.program.name == f"{service}-worker"]
    return worker
