"""A small disk of its own for the system's state, which can be full (D7).

It takes who may mount: where that is not so, no disk is ever full.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SIZE_MB = 700
CHUNK = bytes(1 << 20)
MISSING = "no disk is full: this takes the right to mount one"


class Disk:
    """A folder with an end."""

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave nothing for anybody."""
        with suppress(OSError), self._ballast.open("ab", buffering=0) as ballast:
            while ballast.write(CHUNK):
                pass

    def free(self) -> None:
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path) -> Iterator[Disk | None]:
    """Give a small disk at a folder; None where that is not possible."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None or not _is_done(
        mount, "-t", "tmpfs", "-o", f"size={SIZE_MB}m,mode=0711", "torture", str(folder)
    ):  # fmt: skip
        yield None
        return
    try:
        yield Disk(folder)
    finally:
        _is_done(umount, "--lazy", str(folder))


def _is_done(*command: str) -> bool:
    return not subprocess.run(  # noqa: S603 - our own command.
        command, check=False, stderr=subprocess.DEVNULL
    ).returncode
