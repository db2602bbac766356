"""`python -m shared.journal FOLDER KEY`: prove exported files, with the public key alone."""

import sys
from pathlib import Path

from shared.journal.archive import ArchiveBroken, check
from shared.journal.notes import NoteInvalid, NoteKey


def main(arguments: list[str]) -> str:
    """Return what was found in order. Raises SystemExit with what was not."""
    match arguments:
        case [folder, key]:
            pass
        case _:
            raise SystemExit(
                "usage: python -m shared.journal FOLDER KEY, as `checkpoint key` prints it"
            )
    try:
        found = check(Path(folder), NoteKey.parse(key))
    except (ArchiveBroken, NoteInvalid) as error:
        raise SystemExit(str(error)) from error
    if not found.checkpoints:
        raise SystemExit(f"{folder}: there is no export of this journal.")
    return (
        f"Verified: {found.entries:,} entries in {found.files:,} closed files and the open one, "
        f"up to checkpoint {found.last_checkpoint:,}."
    )


if __name__ == "__main__":
    sys.stdout.write(main(sys.argv[1:]) + "\n")
