"""Run the services' migrations before any service starts."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Iterable
from pathlib import Path

from deploy.local.children import die_with_parent
from deploy.local.errors import StackError
from deploy.local.processes import Migration

TIMEOUT_S = 600.0


async def migrate(migrations: Iterable[Migration], folder: Path, log_dir: Path) -> None:
    """Run all migrations at once, each writing to its own log; raises StackError when one fails."""
    results = await asyncio.gather(*(_run(one, folder, log_dir) for one in migrations))
    failed = [reason for reason in results if reason is not None]
    if failed:
        raise StackError(failed[0])


async def _run(migration: Migration, folder: Path, log_dir: Path) -> str | None:
    process = await asyncio.create_subprocess_exec(
        *migration.command,
        env=dict(migration.environment),
        cwd=folder,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        start_new_session=True,
        preexec_fn=die_with_parent(),
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), TIMEOUT_S)
    except TimeoutError:
        return f"Migration of {migration.service} took longer than {TIMEOUT_S:.0f} s."
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    log_path = log_dir / f"{migration.service}-migrate.log"
    log_path.write_bytes(output)
    if process.returncode == 0:
        return None
    lines = output.decode(errors="replace").strip().splitlines()
    last = lines[-1] if lines else f"code {process.returncode}"
    return f"Migration of {migration.service} failed: {last} (all of it: {log_path})"
