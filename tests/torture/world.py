"""A system to be tortured, and a tenant in it with few items that everybody wants."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from deploy.local.children import die_with_parent
from deploy.local.instance import Instance
from tests.support.authenticator import Authenticators
from tests.support.ports import reserved_ports
from tests.support.stack import ROOT, VARIABLES, Stack
from tests.support.waiting import answered, eventually
from tests.torture.checker import SETUP
from tests.torture.clients import Person
from tests.torture.clocks import SKEWED, find_library, set_clock
from tests.torture.disks import Disk, small_disk
from tests.torture.launch import CLOCK_FOLDER, INVENTORY_URL, POSTGRES_FOLDER
from tests.torture.links import Connect, Link, Streams
from tests.torture.requests import (
    DEAR,
    KIT,
    KIT_TAKES,
    PLACES,
    PLAIN,
    SERIALS,
    STORM,
    STORM_PIECES,
    TRACKED,
)

ROLES = ("clerk", "clerk", "manager", "manager")  # And an administrator.
COST = "2000"  # Of one piece of what is dear: more than anybody may change alone.
OPENING = 12  # Little, so that the past is as scarce as the present.
PORTS = 19
SOCKET = ".s.PGSQL.5432"
STOPS_S = 90


@dataclass
class Tortured:
    """A running system with its links; clients come in by `front_port`."""

    stack: Stack
    links: dict[str, Link]
    front_port: int
    has_clocks: bool
    disk: Disk | None

    @property
    def clocks(self) -> dict[str, Path]:
        """The files by which clocks are set, by process; none where that is not possible."""
        folder = self.stack.folder.parent / "clocks"
        return {name: folder / name for name in SKEWED if self.has_clocks}

    @property
    def log_folder(self) -> Path:
        return self.stack.folder / "log"


@dataclass
class World:
    """A tenant of its own: who works there, and what lies there."""

    tenant_id: str
    boss: dict[str, str]  # His credentials, and below what shows his codes.
    authenticators: Authenticators
    credentials: list[dict[str, str]]
    people: list[Person]
    item_ids: dict[str, str]


@contextmanager
def launched(
    folder: Path, root: Path = ROOT, *, with_clocks: bool = False
) -> Iterator[tuple[Stack, int, int]]:
    """Start the system with its links led astray; give it with the ports of front and inventory."""
    with reserved_ports(PORTS) as free:
        ports = {name: str(port) for name, port in zip(VARIABLES, free, strict=False)}
        front, inventory = free[-1], free[-2]
        for name in ("link", "clocks"):
            (folder / name).mkdir(mode=0o700)
        for name in SKEWED:
            set_clock(folder / "clocks" / name, 0)
        environment = {
            **os.environ, **ports, "RATE_LIMIT_SCALE": "1000", "STATE_DIR": str(folder / "state"),
            INVENTORY_URL: f"http://127.0.0.1:{inventory}", POSTGRES_FOLDER: str(folder / "link"),
        }  # fmt: skip
        if with_clocks:
            environment[CLOCK_FOLDER] = str(folder / "clocks")
        with (folder / "stack.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.torture.launch"],
                cwd=root, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(),  # noqa: PLW1509 - one prctl call, safe after fork.
            )  # fmt: skip
        try:
            yield Stack(folder / "state", environment), front, inventory
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOPS_S)
            except subprocess.TimeoutExpired:
                process.kill()


@asynccontextmanager
async def tortured(
    folder: Path, seed: str, *, with_clocks: bool = False, with_disk: bool = False
) -> AsyncIterator[Tortured]:
    """Give a system that is ready, behind links that pass everything on.

    If asked with clocks to be set, and on a disk of its own that can be full.
    """
    (folder / "state").mkdir(exist_ok=True)
    with (
        small_disk(folder / "state") if with_disk else nullcontext() as disk,
        launched(folder, with_clocks=with_clocks) as (stack, front, inventory),
    ):
        links = {
            "clients": Link(_tcp(int(stack.port("gateway"))), f"{seed}/clients"),
            "inventory": Link(_tcp(int(stack.port("inventory"))), f"{seed}/inventory"),
            "postgres": Link(_postgres(stack), f"{seed}/postgres"),
        }
        await links["clients"].listen_tcp(front)
        await links["inventory"].listen_tcp(inventory)
        await links["postgres"].listen_unix(folder / "link" / SOCKET)
        try:
            await eventually(lambda: _is_ready(stack))
            has_clocks = with_clocks and find_library() is not None
            yield Tortured(stack, links, front, has_clocks, disk)
        finally:
            for link in links.values():
                await link.close()


def _is_ready(stack: Stack) -> bool:
    note = Instance(stack.folder).find()
    return note is not None and note.ready


def _tcp(port: int) -> Connect:
    async def connect() -> Streams:
        return await asyncio.open_connection("127.0.0.1", port)

    return connect


def _postgres(stack: Stack) -> Connect:
    async def connect() -> Streams:
        lines = (stack.folder / "postgres" / "postmaster.pid").read_text().splitlines()
        return await asyncio.open_unix_connection(f"{lines[4]}/{SOCKET}")

    return connect


async def made_world(stack: Stack, client: httpx.AsyncClient, run: str) -> World:
    """Make a tenant with items, places, some stock, and people who work there."""
    authenticators = Authenticators()
    boss = await stack.add_tenant(client)
    headers = await signed_in(client, boss, authenticators)
    connection = await asyncpg.connect(stack.superuser_dsn)
    tenant_id = await connection.fetchval(_TENANT, boss["tenant"])
    await connection.close()
    world = World(tenant_id, boss, authenticators, [], [], {})
    for n, role in enumerate(ROLES):
        email, password = f"{role}-{n}@example.com", f"pass-{uuid4().hex}"
        wanted = {"email": email, "password": password, "role": role}
        wanted |= {"password_change_required": False}
        made = await client.post("/api/users", json=wanted, headers=headers)
        assert made.status_code == 201, made.text
        world.credentials.append({"email": email, "password": password, "tenant": boss["tenant"]})
        world.people.append(Person(f"user:{made.json()['id']}", {}, role))
    me = await client.get("/api/auth/me", headers=headers)
    world.credentials.append(boss)
    world.people.append(Person(f"user:{me.json()['id']}", {}, "admin"))
    await renew(client, world)
    await _fill(client, headers | {"X-Request-ID": f"{SETUP}{run}"}, world)
    return world


async def renew(client: httpx.AsyncClient, world: World) -> None:
    """Sign everybody in anew, before their tokens end."""
    for person, credentials in zip(world.people, world.credentials, strict=True):
        person.headers = await signed_in(client, credentials, world.authenticators)


async def signed_in(
    client: httpx.AsyncClient, credentials: dict[str, str], authenticators: Authenticators
) -> dict[str, str]:
    answer = await authenticators.sign_in(client, credentials)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def _fill(client: httpx.AsyncClient, headers: dict[str, str], world: World) -> None:
    async def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        made = await answered(lambda: client.post(path, json=body, headers=headers))
        assert made.is_success, made.text
        found: dict[str, Any] = made.json()
        return found

    dock, hall, shop = PLACES
    for place in (dock, hall):
        await post("/api/locations", {"name": place, "type": "warehouse"})
    await post("/api/locations", {"name": shop, "type": "zone", "parent": hall})
    await post("/api/locations", {"name": "Road", "type": "transit"})
    more = {code: {"tracking": "lot"} for code in TRACKED}
    more |= {SERIALS: {"tracking": "serial"}, DEAR: {"unit_cost": COST}}
    for code in (*PLAIN, *TRACKED, STORM, SERIALS, KIT, DEAR):
        made = await post("/api/inventory", {"code": code, "name": code, **more.get(code, {})})
        world.item_ids[code] = made["id"]
    parts = [{"item": item, "quantity": n} for item, n in KIT_TAKES.items()]
    await post("/api/inventory/kits", {"item": KIT, "components": parts})
    then = (datetime.now(UTC) - timedelta(days=8)).isoformat()
    lines = [
        {"kind": "receipt", "item": code, "location": place, "quantity": OPENING,
         "occurred_at": then}
        | ({"lot": lot, "expires_on": _expiry(days)} if lot else {})
        for place in PLACES
        for code in (*PLAIN, *TRACKED, KIT, DEAR)
        for lot, days in ((("X", 9), ("Y", 5)) if code in TRACKED else (("", 0),))
    ]  # fmt: skip
    storm = {"kind": "receipt", "item": STORM, "location": PLACES[0], "quantity": STORM_PIECES}
    await post("/api/inventory/movements/bulk", {"lines": [*lines, storm]})


_TENANT = "SELECT id::text FROM auth.tenants WHERE slug = $1"


def _expiry(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
