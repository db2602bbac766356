"""`python -m deploy.backups work|backup|list|check|erasures|fetch|restore|drill|key`."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from deploy.backups import commands
from deploy.backups.job import BackupJob
from deploy.backups.local import Place, find_place
from deploy.backups.settings import Settings
from deploy.backups.telling import run_told, say, say_aside
from shared.jobs import run_until_told
from shared.log import configure_logging
from shared.settings import load_settings
from shared.web.beside import health_app, serve_beside

NICENESS = 10
Command = Callable[
    [Place, argparse.Namespace, Callable[[str], None]], Coroutine[Any, Any, commands.Content]
]
COMMANDS: Mapping[str, Command] = {
    "backup": commands.back_up,
    "list": commands.list_backups,
    "check": commands.check,
    "erasures": commands.list_erasures,
    "fetch": commands.fetch,
    "restore": commands.restore,
    "drill": commands.rehearse,
}


def main(words: list[str]) -> int:
    asked = _parser().parse_args(words)
    asked.into = asked.into and str(Path(asked.into).resolve())
    if asked.verb != "restore":  # Whoever moves stock goes first; during a restore nobody does.
        os.nice(NICENESS)
    if asked.verb == "work":
        return _work()
    place = find_place()
    configure_logging("backup", "WARNING", "console")
    if asked.verb == "key":
        say(place.settings.keyring.current.public_text)
        return 0
    command, tell = COMMANDS[asked.verb], say_aside if asked.json else say
    return run_told(lambda: command(place, asked, tell), about="backups", as_json=asked.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.backups")
    parser.add_argument("verb", choices=("work", *COMMANDS, "key"))
    parser.add_argument("--at", default="", help="a moment with its offset, RFC 3339")
    parser.add_argument("--cluster", default="", help="PostgreSQL's system identifier")
    parser.add_argument("--into", default="", help="a new folder, instead of the database in use")
    parser.add_argument("--json", action="store_true", help="the result as JSON, progress aside")
    parser.add_argument("--anew", action="store_true", help="begin the list of erasures anew")
    parser.add_argument(
        "--without-erasures", action="store_true", help="the list of erasures is lost for good"
    )
    parser.add_argument("--yes", action="store_true", help="ask nothing")
    return parser


def _work() -> int:
    settings = load_settings(Settings)
    configure_logging("backup", settings.log_level, settings.log_format)
    asyncio.run(_serve(settings))
    return 0


async def _serve(settings: Settings) -> None:
    """Run the job and serve its metrics until the process is told to end."""
    job = BackupJob(settings)
    loops = [job.run()]
    if settings.metrics_port is not None:
        loops.append(serve_beside(health_app(settings, lambda: job.is_ready), settings))
    await run_until_told(*loops)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
