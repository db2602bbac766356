"""A scratch copy of the tree in which something is broken on purpose, to prove what notices it."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Change:
    """In a file, this text becomes that one. It must stand there exactly once."""

    path: str
    old: str
    new: str


@contextmanager
def scratch_copy() -> Iterator[Path]:
    """Give a copy of all that git knows of, or would."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - the developer's git.
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        copy = Path(folder) / "copy"
        for name in listed.stdout.splitlines():
            if (ROOT / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, copy / name)
        yield copy


@contextmanager
def changed(copy: Path, changes: Sequence[Change]) -> Iterator[None]:
    """Make the changes in a copy, and take them back at the end."""
    before = {change.path: (copy / change.path).read_text() for change in changes}
    try:
        for change in changes:
            require_once(copy, change)
            path = copy / change.path
            path.write_text(path.read_text().replace(change.old, change.new))
        yield
    finally:
        for name, text in before.items():
            (copy / name).write_text(text)


def require_once(root: Path, change: Change) -> None:
    """Fail where the text is no longer there: then nothing is proved."""
    found = (root / change.path).read_text().count(change.old)
    if found != 1:
        raise SystemExit(f"{change.path} holds {found} times: {change.old!r}")
