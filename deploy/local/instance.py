"""One running stack per checkout: a lock that dies with its holder, and a note about it."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.private import close_to_others, open_private


@dataclass(frozen=True)
class Note:
    """What the running stack tells `status`, `up`, `down` and `retry`, in a private file."""

    pid: int
    ready: bool
    url: str
    pids: Mapping[str, int] = field(default_factory=dict)
    restarts: Mapping[str, int] = field(default_factory=dict)
    health_ports: Mapping[str, int] = field(default_factory=dict)
    superuser_dsn: str = ""
    redis_url: str = ""


class Instance:
    """The lock and the note in the state folder."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._lock_path = state_dir / "lock"
        self._note_path = state_dir / "stack.json"
        self._written: Note | None = None

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Be the one stack of this checkout; raises StackError when there is one already."""
        self._make_folder()
        with open_private(self._lock_path, "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StackError(f"Already running{self._where()}; `make down` stops it.") from None
            try:
                yield
            finally:
                self._note_path.unlink(missing_ok=True)

    @contextmanager
    def only_starter(self) -> Iterator[None]:
        """Wait until nobody else is starting this stack in the background, then be the one."""
        self._make_folder()
        with open_private(self._state_dir / "starting", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def write(self, note: Note) -> None:
        """Replace the note, if it says anything new."""
        if note == self._written:
            return
        temporary = self._note_path.with_suffix(".new")
        with open_private(temporary, "w") as file:
            file.write(json.dumps(asdict(note)))
        temporary.replace(self._note_path)
        self._written = note

    def is_held(self) -> bool:
        """Say whether a stack of this checkout is running, ready or not."""
        try:
            with self._lock_path.open() as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def find(self) -> Note | None:
        """Return the running stack's note, None when nothing runs or it has not written one."""
        if not self.is_held():
            return None
        try:
            return Note(**json.loads(self._note_path.read_text()))
        except FileNotFoundError:
            return None

    def _make_folder(self) -> None:
        close_to_others(self._state_dir)

    def _where(self) -> str:
        note = self.find()
        return f" (process {note.pid}, {note.url})" if note is not None else ""


def own_note(url: str) -> Note:
    return Note(pid=os.getpid(), ready=False, url=url)
