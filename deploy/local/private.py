"""Files that only their owner may read, whatever the umask."""

import os
from io import TextIOWrapper
from pathlib import Path
from typing import Literal

_FOLDER_MODE = 0o700
_FILE_MODE = 0o600


def private_folder(folder: Path) -> Path:
    """Make the folder if it is not there, and close it to everybody else; return it."""
    folder.mkdir(parents=True, exist_ok=True, mode=_FOLDER_MODE)
    folder.chmod(_FOLDER_MODE)
    return folder


def open_private(path: Path, mode: Literal["a", "w"]) -> TextIOWrapper:
    """Open a file that is private from its first byte, and one that was not from now on."""
    return open(path, mode, encoding="utf-8", opener=_opener)


def _opener(path: str, flags: int) -> int:
    descriptor = os.open(path, flags, _FILE_MODE)
    os.fchmod(descriptor, _FILE_MODE)
    return descriptor


def close_to_others(folder: Path) -> None:
    """Make the folder and the files in it private, as an older version may have left them."""
    private_folder(folder)
    for path in folder.iterdir():
        if path.is_file() and not path.is_symlink():
            path.chmod(_FILE_MODE)
