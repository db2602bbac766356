"""Servers that speak TLS: those of Debian, since those in the project's wheels do not."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.account import as_account, server_account
from deploy.local.stack import running_server
from tests.support.certificates import Shown
from tests.support.tree import ROOT

POSTGRES = Path("/usr/lib/postgresql/15/bin")
REDIS = shutil.which("redis-server")
needs_postgres = pytest.mark.skipif(
    not (POSTGRES / "postgres").exists(), reason="needs Debian's postgresql-15, which speaks TLS"
)
needs_redis = pytest.mark.skipif(
    REDIS is None, reason="needs Debian's redis-server, which speaks TLS"
)


@contextmanager
def postgres_with_tls(folder: Path, port: int, shown: Shown, authority: Path) -> Iterator[None]:
    """Run a PostgreSQL on 127.0.0.1 that takes clients with a certificate of their role alone.

    The superuser is `postgres`, with the password `postgres`.
    """
    account = server_account()
    place = folder / "server"
    place.mkdir(mode=0o700)
    for name, source in (("server.crt", shown.certificate), ("server.key", shown.key)):
        shutil.copy(source, place / name).chmod(0o600)
    shutil.copy(authority, place / "ca.crt")
    (place / "password").write_text("postgres")
    if account is not None:
        for path in (place, *place.iterdir()):
            os.chown(path, account.pw_uid, account.pw_gid)
    prefix = as_account(account, place, POSTGRES)
    data = place / "data"
    subprocess.run(  # noqa: S603 - the command is ours.
        [
            *(*prefix, str(POSTGRES / "initdb"), "-D", str(data), "-U", "postgres", "--no-sync"),
            *("--encoding=UTF8", "--locale=C", "--auth=scram-sha-256"),
            f"--pwfile={place / 'password'}",
        ],
        check=True,
        capture_output=True,
        cwd="/",
    )
    access = (ROOT / "deploy" / "postgres" / "pg_hba.conf").read_text()
    (data / "pg_hba.conf").write_text(
        re.sub("^(hostssl .*)$", r"\1 clientcert=verify-full", access, flags=re.MULTILINE)
    )
    options = {
        "listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": "",
        "ssl": "on", "ssl_cert_file": str(place / "server.crt"),
        "ssl_key_file": str(place / "server.key"), "ssl_ca_file": str(place / "ca.crt"),
        "fsync": "off", "max_locks_per_transaction": "256",
    }  # fmt: skip
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    command = (*prefix, str(POSTGRES / "postgres"), "-D", str(data), *words)

    def is_ready(_pid: int) -> bool:
        try:
            lines = (data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return lines[-1].strip() == "ready"

    with running_server(command, is_ready, folder / "postgres.log", stop=signal.SIGINT):
        yield


@contextmanager
def redis_with_tls(
    folder: Path, port: int, shown: Shown, authority: Path, *more: str
) -> Iterator[None]:
    """Run a Redis on 127.0.0.1 that takes clients with a certificate of the authority alone."""
    options = {
        "port": "0", "tls-port": str(port), "bind": "127.0.0.1", "dir": str(folder), "save": "",
        "tls-cert-file": str(shown.certificate), "tls-key-file": str(shown.key),
        "tls-ca-cert-file": str(authority), "tls-auth-clients": "yes",
    }  # fmt: skip
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    log = folder / "redis.log"

    def is_ready(_pid: int) -> bool:
        return log.exists() and "Ready to accept connections" in log.read_text()

    with running_server((str(REDIS), *words, *more), is_ready, log, stop=signal.SIGTERM):
        yield
