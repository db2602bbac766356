"""Run the system as `make run` does, with two of its links led through the torture's proxy.

The gateway reaches inventory, and inventory's service its database, where the torture listens. What
crashes starts again after the first, shortest pause each time: here crashes in a row are no sign of
a fault.
"""

import asyncio
import os
from dataclasses import replace
from urllib.parse import quote

from deploy.local import lineup, supervisor
from deploy.local.processes import Plan, Process, processes
from deploy.local.rules import restart_delay_s
from deploy.local.run import run
from deploy.local.settings import read_settings

INVENTORY_URL, POSTGRES_FOLDER = "TORTURE_INVENTORY_URL", "TORTURE_POSTGRES_FOLDER"


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
        program = replace(process.program, environment=environment)
        found.append(replace(process, program=program))
    return found


def main() -> None:
    lineup.processes = led_astray
    supervisor.restart_delay_s = lambda _crashes: restart_delay_s(1)
    asyncio.run(run(read_settings()))


if __name__ == "__main__":
    main()
