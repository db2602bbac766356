"""Run the system as `make run` does, with two of its links led through the torture's proxy, and
with clocks that it can set.

The gateway reaches inventory, and inventory's service its database, where the torture listens. What
crashes starts again after the first, shortest pause each time: here crashes in a row are no sign of
a fault.
"""

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from deploy.local import lineup, supervisor
from deploy.local.launch import Forker, Program, Running, execute
from deploy.local.processes import Plan, Process, processes
from deploy.local.rules import restart_delay_s
from deploy.local.run import run
from deploy.local.settings import read_settings
from tests.torture.clocks import PRELOADED, SKEWED, environment_of, find_library

INVENTORY_URL, POSTGRES_FOLDER = "TORTURE_INVENTORY_URL", "TORTURE_POSTGRES_FOLDER"
CLOCK_FOLDER = "TORTURE_CLOCK_FOLDER"


def led_astray(plan: Plan) -> list[Process]:
    """Return the processes of the system with the addresses that the torture gives."""
    found = []
    for process in processes(plan):
        environment = dict(process.program.environment)
        if process.program.name == "gateway":
            environment["INVENTORY_URL"] = os.environ[INVENTORY_URL]
        elif process.program.name == "inventory":
            address, _, _ = environment["DATABASE_URL"].partition("?host=")
            environment["DATABASE_URL"] = f"{address}?host={quote(os.environ[POSTGRES_FOLDER])}"
        library, name = find_library(), process.program.name
        if library is not None and name in SKEWED and CLOCK_FOLDER in os.environ:
            environment |= environment_of(Path(os.environ[CLOCK_FOLDER]) / name, library)
        program = replace(process.program, environment=environment)
        found.append(replace(process, program=program))
    return found


class ClockedForker(Forker):
    """Starts with a library of its own what is told of one: a fork has those of its parent."""

    async def __call__(self, program: Program) -> Running:  # type: ignore[override] # Or a Process.
        if PRELOADED in program.environment:
            return await execute(program)
        return await super().__call__(program)


def main() -> None:
    lineup.processes, lineup.Forker = led_astray, ClockedForker
    supervisor.restart_delay_s = lambda _crashes: restart_delay_s(1)
    asyncio.run(run(read_settings()))


if __name__ == "__main__":
    main()
