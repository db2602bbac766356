"""Run the services' migrations before any service starts."""

import asyncio
import contextlib
from collections.abc import Iterable
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.launch import Launcher, Program
from deploy.local.private import open_private
from deploy.local.supervisor import ended

TIMEOUT_S = 600.0


async def migrate(migrations: Iterable[Program], log_dir: Path, launch: Launcher) -> None:
    """Run all migrations at once, each writing to its own log; raises StackError when one fails."""
    results = await asyncio.gather(*(_run(one, log_dir, launch) for one in migrations))
    failed = [reason for reason in results if reason is not None]
    if failed:
        raise StackError(failed[0])


async def _run(migration: Program, log_dir: Path, launch: Launcher) -> str | None:
    process = await launch(migration)
    output = b""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            if process.stdout is not None:
                output = await process.stdout.read()
            code = await ended(process)
    except TimeoutError:
        return f"{migration.name} took longer than {TIMEOUT_S:.0f} s"
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(migration.stop_signal)
    log_path = log_dir / f"{migration.name}.log"
    text = output.decode(errors="replace")
    with open_private(log_path, "w") as log:
        log.write(text)
    if code == 0:
        return None
    lines = text.strip().splitlines()
    return f"{migration.name} failed: {lines[-1] if lines else code} (all of it: {log_path})"
