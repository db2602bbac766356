"""Which revision a schema should be at; what brings it there is `migrate`."""

import re
from pathlib import Path

_REVISION_FILE = re.compile(r"^(\d{4})_\w+\.py$")


def head_revision(migrations: Path) -> str:
    """Return the newest revision in a folder: the number that its file name starts with."""
    return max(m.group(1) for f in migrations.iterdir() if (m := _REVISION_FILE.match(f.name)))
