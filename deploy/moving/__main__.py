"""`python -m deploy.moving export|import FILE`."""

import argparse
import asyncio
import sys
from pathlib import Path

from deploy.backups.errors import BackupError
from deploy.backups.local import find_place
from deploy.local.errors import StackError
from deploy.moving.exporting import export
from deploy.moving.importing import bring_in
from shared.log import configure_logging

VERBS = {
    "export": "write all data of the running system into one sealed file",
    "import": "put such a file into the empty database of a system that does not run",
}


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.moving",
        epilog="; ".join(f"{verb}: {meaning}" for verb, meaning in VERBS.items()),
    )
    parser.add_argument("verb", choices=VERBS)
    parser.add_argument("file", type=Path)
    asked = parser.parse_args(words)
    configure_logging("moving", "WARNING", "console")
    try:
        work = export if asked.verb == "export" else bring_in
        asyncio.run(work(find_place(), asked.file.resolve(), _say))
    except (BackupError, StackError) as error:
        sys.stderr.write(f"{error}\n")
    except OSError as error:
        sys.stderr.write(f"{error.strerror or error}: {error.filename or asked.file}\n")
    except KeyboardInterrupt:
        sys.stderr.write("\n")
    else:
        return 0
    return 1


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
