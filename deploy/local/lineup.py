"""Everything of one stack, in the order in which it comes up and goes down."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
from pydantic import SecretStr

from deploy.local import secrets
from deploy.local.errors import StackError
from deploy.local.launch import Forker, Launcher, execute
from deploy.local.migrate import migrate
from deploy.local.output import ERRORS, NAME_WIDTH, WARNINGS, application_shows, say
from deploy.local.private import close_to_others
from deploy.local.probe import health
from deploy.local.processes import Plan, Process, in_layers, migrations, processes
from deploy.local.servers import prepare_servers
from deploy.local.settings import LocalSettings
from deploy.local.supervisor import Child, Supervised
from deploy.postgres.bootstrap import ROLES, bootstrap
from deploy.postgres.settings import BootstrapSettings
from shared.tls import client_context

HTTP_OK = 200


class Lineup:
    """Servers, database, services and workers, gateway: started in this order, ended in reverse."""

    def __init__(self, settings: LocalSettings, state_dir: Path, keys: dict[str, str]) -> None:
        self._settings = settings
        self._state_dir = state_dir
        self._log_dir = state_dir / "log"
        self._keys = keys
        self._layers: list[list[Supervised]] = []
        self._cleanups: list[Callable[[], None]] = []
        self._forker = Forker(self._log_dir / "forker.log")
        self._is_up = False
        self.health_ports: dict[str, int] = {}
        self.superuser_dsn = ""
        self.redis_url = ""

    async def start(self) -> None:
        """Bring everything up; raises StackError with the first reason why not."""
        close_to_others(self._log_dir)
        await self._forker.warm_up()
        servers = prepare_servers(self._settings, self._state_dir, self._keys)
        self._cleanups = servers.cleanups
        self.superuser_dsn, self.redis_url = servers.superuser_dsn, servers.redis_url
        await self._start_layer(servers.children, execute)
        plan = Plan(self._settings, self._keys, servers.superuser_dsn, servers.redis_url)
        began = time.monotonic()
        await self._bootstrap(servers.superuser_dsn)
        await migrate(migrations(plan), self._log_dir, self._forker)
        _ready_line("database", time.monotonic() - began, "roles, schemas, migrations")
        table = processes(plan)
        self.health_ports = {row.program.name: row.health_port for row in table}
        for layer in in_layers(table):
            await self._start_layer([self._child(row) for row in layer], self._forker)
        self._is_up = True

    async def stop(self) -> None:
        """End everything that was started, last first."""
        for layer in reversed(self._layers):
            await asyncio.gather(*(member.stop() for member in layer))
        await self._forker.close()
        for cleanup in self._cleanups:
            cleanup()

    def members(self) -> list[Supervised]:
        return [member for layer in self._layers for member in layer]

    async def _start_layer(self, children: list[Child], launch: Launcher) -> None:
        layer = [Supervised(child, self._log_dir, launch) for child in children]
        self._layers.append(layer)
        starts = [asyncio.create_task(self._start_one(member)) for member in layer]
        try:
            for done in asyncio.as_completed(starts):
                await done
        finally:
            for start in starts:
                start.cancel()
            await asyncio.gather(*starts, return_exceptions=True)

    async def _start_one(self, member: Supervised) -> None:
        took_s = await member.start()
        port = self.health_ports.get(member.name)
        where = f"{self._settings.reach}:{port}" if port is not None else ""
        _ready_line(member.name, took_s, where)

    async def _bootstrap(self, superuser_dsn: str) -> None:
        passwords = {role: self._keys[secrets.password_name(role)] for role in ROLES}
        try:
            files = BootstrapSettings(superuser_database_url=SecretStr(superuser_dsn)).postgres_tls
            secured = client_context(files) if files else None
            await bootstrap(superuser_dsn, passwords, secured=secured)
        except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise StackError(f"The database could not be prepared: {error}") from error

    def _child(self, process: Process) -> Child:
        return Child(
            process.program,
            readiness=self._ready_over_http(process.health_port),
            shows=self._shows,
        )

    def _shows(self, line: str) -> str | None:
        """Until all are up they miss one another, and say so: only errors matter before that."""
        return application_shows(line, WARNINGS if self._is_up else ERRORS)

    def _ready_over_http(self, port: int) -> Callable[[int], Awaitable[str | None]]:
        async def ask(_pid: int) -> str | None:
            status, body = await health(self._settings.reach, port)
            return None if status == HTTP_OK else f"{status or 'no answer'} {body}"

        return ask


def _ready_line(name: str, took_s: float, where: str) -> None:
    say(f"{name:<{NAME_WIDTH}} ready {took_s:5.1f} s  {where}".rstrip())
