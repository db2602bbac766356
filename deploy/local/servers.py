"""The two servers as supervised children, or the person's own instead of them."""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local import postgres, valkey
from deploy.local.launch import GIVE_MEMORY_BACK, Program
from deploy.local.output import postgres_shows, valkey_shows
from deploy.local.settings import LocalSettings
from deploy.local.supervisor import Child
from deploy.valkey.acl import OPERATOR, url_as


@dataclass(frozen=True)
class Servers:
    """How to reach PostgreSQL and Redis, and what must run for that."""

    superuser_dsn: str
    redis_url: str
    children: list[Child]
    cleanups: list[Callable[[], None]]


def prepare_servers(
    settings: LocalSettings, state_dir: Path, secrets: Mapping[str, str]
) -> Servers:
    """Prepare the embedded servers; SUPERUSER_DATABASE_URL and REDIS_URL name others instead.

    Raises StackError.
    """
    superuser_dsn = settings.environment.get("SUPERUSER_DATABASE_URL", "")
    redis_url = settings.environment.get("REDIS_URL", "")
    children: list[Child] = []
    cleanups: list[Callable[[], None]] = []
    if not superuser_dsn:
        # A mirror reads the log as rows; without one nobody does.
        wal = {"wal_level": "logical"} if settings.is_mirrored else {}
        database = postgres.prepare(state_dir / "postgres", wal)
        superuser_dsn = database.superuser_dsn
        cleanups.append(database.remove_socket_dir)
        children.append(
            Child(
                Program(
                    name="postgres",
                    command=database.command,
                    environment=_plain_environment(),
                    folder=Path("/"),
                    stop_signal=signal.SIGINT,  # "fast": ends sessions, finishes a checkpoint.
                ),
                readiness=_asking(database.is_ready),
                shows=postgres_shows,
            )
        )
    if not redis_url:
        cache = valkey.prepare(state_dir / "valkey", secrets=secrets)
        redis_url = url_as(cache.url, OPERATOR, secrets)
        cleanups.append(cache.remove_socket_dir)
        children.append(
            Child(
                Program(
                    name="valkey",
                    command=cache.command,
                    environment=_plain_environment(),
                    folder=Path("/"),
                ),
                readiness=_asking(cache.is_ready),
                shows=valkey_shows,
            )
        )
    return Servers(superuser_dsn, redis_url, children, cleanups)


def _plain_environment() -> dict[str, str]:
    kept = ("PATH", "HOME", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
    inherited = {name: os.environ[name] for name in kept if name in os.environ}
    return {**inherited, **GIVE_MEMORY_BACK, "LC_ALL": "C"}


def _asking(is_ready: Callable[[int], bool]) -> Callable[[int], asyncio.Future[str | None]]:
    def ask(pid: int) -> asyncio.Future[str | None]:
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        answer.set_result(None if is_ready(pid) else "it does not take connections yet")
        return answer

    return ask
