"""`python -m deploy.moving export|import FILE`."""

import argparse
import sys
from pathlib import Path

from deploy.backups.local import find_place
from deploy.backups.telling import run_told, say
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
    work = export if asked.verb == "export" else bring_in
    path = asked.file.resolve()
    return run_told(lambda: work(find_place(), path, say), about=str(path))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
