"""`make run`: bring everything up in order, say so, and take it down again."""

import asyncio
import signal
import sys
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from deploy.local import checks, secrets
from deploy.local.instance import Instance, Note, own_note
from deploy.local.lineup import Lineup
from deploy.local.output import say
from deploy.local.settings import ADMIN_EMAIL, STATE_DIR, LocalSettings, port_uses

NOTE_INTERVAL_S = 1.0


async def run(settings: LocalSettings, state_dir: Path = STATE_DIR) -> None:
    """Run the stack until SIGINT or SIGTERM. Raises StackError when it cannot come up."""
    began = time.monotonic()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    instance = Instance(state_dir)
    with instance.hold():  # Also makes the private state folder.
        note = own_note(settings.url_of("gateway"))
        instance.write(note)
        checks.refuse_full_disk(state_dir)
        checks.refuse_taken_ports(settings.host, port_uses(settings))
        keys, new_names = secrets.load(state_dir / "secrets.env")
        chosen = {name: settings.environment.get(name) or value for name, value in keys.items()}
        lineup = Lineup(settings, state_dir, chosen)
        try:
            if await _finishes_before(stop, lineup.start()):
                _greet(settings, chosen, state_dir, is_new="ADMIN_PASSWORD" in new_names)
                stop_hint = " Ctrl-C stops everything." if sys.stdin.isatty() else ""
                say(f"Ready in {time.monotonic() - began:.1f} s.{stop_hint}")
                await _until(stop, instance, note, lineup)
        finally:
            say("Stopping.")
            await lineup.stop()


async def _finishes_before(stop: asyncio.Event, work: Coroutine[None, None, None]) -> bool:
    """Finish `work`, or cancel it when `stop` comes first; say whether it was finished."""
    working = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
    finished = working.done()
    for task in (working, stopping):
        task.cancel()
    await asyncio.wait([working, stopping])
    if finished:
        working.result()  # Raises what it raised.
    return finished


async def _until(stop: asyncio.Event, instance: Instance, note: Note, lineup: Lineup) -> None:
    """Keep the note true until `stop`: process ids change when something crashes."""
    while not stop.is_set():
        pids = {member.name: member.pid for member in lineup.members() if member.pid}
        restarts = {member.name: member.restarts for member in lineup.members()}
        current = replace(
            note,
            ready=True,
            pids=pids,
            restarts=restarts,
            health_ports=lineup.health_ports,
            superuser_dsn=lineup.superuser_dsn,
            redis_url=lineup.redis_url,
        )
        with suppress(OSError):  # The disk is full: what runs goes on, and the note comes later.
            instance.write(current)
        try:
            await asyncio.wait_for(stop.wait(), NOTE_INTERVAL_S)
        except TimeoutError:
            continue


def _greet(settings: LocalSettings, keys: dict[str, str], state_dir: Path, *, is_new: bool) -> None:
    from deploy.local.people import where_password_is  # noqa: PLC0415 - when all else is started.

    url = settings.url_of("gateway")
    email = settings.environment.get("ADMIN_EMAIL") or ADMIN_EMAIL
    if is_new and sys.stdout.isatty():  # There it is gone with the window; all else may be a log.
        password = keys["ADMIN_PASSWORD"]
    else:
        password = where_password_is(state_dir, email)
    say(
        f"\n  API      {url}\n"
        f"  Docs     {url}/docs\n"
        f"  Sign in  {email}, password: {password}\n"
        "  Demo     make demo\n"
        f"  Logs     {state_dir / 'log'}\n"
    )
