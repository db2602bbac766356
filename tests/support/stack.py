"""The whole system as real processes, in a folder and on ports of its own."""

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
from dotenv import dotenv_values

from deploy.local.instance import Instance
from deploy.local.postgres import SUPERUSER
from deploy.local.secrets import password_name
from deploy.postgres.bootstrap import DATABASE
from tests.support.authenticator import Authenticators
from tests.support.ports import reserved_ports
from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
SIGNED_IN_S = 240  # While the proof is fresh; a code each time would run out of codes.
VARIABLES = ("GATEWAY_PORT", "AUTH_PORT", "INVENTORY_PORT", "FORECASTING_PORT", "REPORTING_PORT")


@dataclass
class Stack:
    """A running system: where it is, and who may sign in."""

    folder: Path
    environment: dict[str, str]
    authenticators: Authenticators = field(default_factory=Authenticators)
    _platform: tuple[float, dict[str, str]] = (-math.inf, {})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['GATEWAY_PORT']}"

    def port(self, name: str) -> str:
        return self.environment[f"{name.upper()}_PORT"]

    @property
    def secrets(self) -> dict[str, str | None]:
        return dotenv_values(self.folder / "secrets.env")

    def dsn(self, role: str) -> str:
        """Return where a role of the database connects."""
        password = self.secrets[password_name(role)]
        return f"postgresql://{role}:{password}@/{DATABASE}?host={self._socket_dir}"

    @property
    def superuser_dsn(self) -> str:
        """Where the person who runs the system connects to it as the database's superuser."""
        return f"postgresql://{SUPERUSER}@/{DATABASE}?host={self._socket_dir}"

    @property
    def _socket_dir(self) -> str:
        return quote((self.folder / "postgres" / "postmaster.pid").read_text().splitlines()[4])

    def pid(self, process: str) -> int:
        """Return the process id of one process of the system, as it is now."""
        note = Instance(self.folder).find()
        assert note is not None
        return note.pids[process]

    def run(self, verb: str) -> None:
        """Start (`up`) or stop (`down`) the system."""
        _local(self.environment, verb)

    def backups(
        self, *words: str, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the program of backups beside the system."""
        return subprocess.run(  # noqa: S603 - our own program.
            [sys.executable, "-m", "deploy.backups", *words],
            cwd=ROOT, env=environment or self.environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def kill(self, process: str) -> int:
        """End a process as a crash would; the supervisor starts it again."""
        pid = self.pid(process)
        with suppress(ProcessLookupError):  # It may be down from the last time.
            os.kill(pid, signal.SIGKILL)
        return pid

    async def kill_and_wait(self, process: str) -> None:
        """End a process as a crash would, and wait until another has taken its place."""
        killed = self.kill(process)
        await eventually(lambda: self.pid(process) != killed)

    async def sign_in(self, client: httpx.AsyncClient) -> dict[str, str]:
        """Return the headers of the platform's administrator, who signs in now and then only."""
        signed_in_at, headers = self._platform
        if time.monotonic() - signed_in_at > SIGNED_IN_S:
            headers = await sign_in(
                client,
                {"email": "admin@example.com", "password": self.secrets["ADMIN_PASSWORD"]},
                self.authenticators,
            )
            self._platform = time.monotonic(), headers
        return headers

    async def new_tenant(self, client: httpx.AsyncClient) -> dict[str, str]:
        """Make a tenant and return the headers of its administrator."""
        return await sign_in(client, await self.add_tenant(client))

    async def add_tenant(
        self, client: httpx.AsyncClient, *, password_change_required: bool = False
    ) -> dict[str, str]:
        """Make a tenant and return with what its administrator, not enrolled yet, signs in."""
        slug, password = f"t-{uuid4().hex[:12]}", f"pass-{uuid4().hex}"
        made = await client.post(
            "/api/tenants",
            json={
                "name": slug,
                "slug": slug,
                "admin_email": "boss@example.com",
                "admin_password": password,
                "admin_password_change_required": password_change_required,
            },
            headers=await self.sign_in(client),
        )
        assert made.status_code == 201, made.text
        return {"email": "boss@example.com", "password": password, "tenant": slug}


async def sign_in(
    client: httpx.AsyncClient,
    body: dict[str, Any],
    authenticators: Authenticators | None = None,
) -> dict[str, str]:
    response = await (authenticators or Authenticators()).sign_in(client, body)
    assert response.status_code == 200, response.text
    return {"Authorization": f"Bearer {response.json()['access_token']}"}


@contextmanager
def running_stack(folder: Path, **settings: str) -> Iterator[Stack]:
    """Start the whole system and stop it at the end."""
    with reserved_ports() as free:  # Five, and ten above them those of workers and backups.
        ports = {name: str(port) for name, port in zip(VARIABLES, free, strict=False)}
        # Backups where they are tested; elsewhere they would only take their share of the machine.
        own = {"RATE_LIMIT_SCALE": "1000", "BACKUP_ENABLED": "false"}
        environment = {**own, **os.environ, **ports}
        environment |= {"STATE_DIR": str(folder), **settings}
        _local(environment, "up")
        try:
            yield Stack(folder, environment)
        finally:
            _local(environment, "down")


def _local(environment: dict[str, str], verb: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own command.
        [sys.executable, "-m", "deploy.local", verb],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
