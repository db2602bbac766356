"""The system account of the embedded PostgreSQL when the stack is started by root.

PostgreSQL refuses to run as root. An ordinary user's server runs as that user.
"""

import os
import pwd
import shutil
import signal
import stat
import subprocess
from pathlib import Path

from deploy.local.errors import StackError

ACCOUNT = "embedded_postgres"
_CAPABILITIES = {"dac_read_search": 2, "dac_override": 1}  # Linux capability numbers, best first.


def server_account() -> pwd.struct_passwd | None:
    """Return the account to run PostgreSQL as: none for an ordinary user, made once for root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        pass
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - fixed words.
    except (OSError, subprocess.CalledProcessError) as error:
        raise StackError(
            f"PostgreSQL does not run as root and the system user {ACCOUNT} could not be made "
            f"({error}); start the stack as an ordinary user."
        ) from error
    return pwd.getpwnam(ACCOUNT)


def as_account(account: pwd.struct_passwd | None, *needed: Path) -> list[str]:
    """Return the words to put before a command so that it runs as `account`.

    `needed` are paths the command must reach. A checkout below /root is closed to other
    accounts: then the command keeps the one capability that lets it pass folders, rather than
    the folders being opened to everybody.
    """
    if account is None:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise StackError(
            "PostgreSQL does not run as root and setpriv (util-linux) is missing; "
            "start the stack as an ordinary user."
        )
    kept = "" if all(_is_open(path) for path in needed) else f",+{_capability()}"
    return [
        setpriv,
        f"--reuid={account.pw_uid}",
        f"--regid={account.pw_gid}",
        "--clear-groups",
        "--no-new-privs",
        f"--inh-caps=-all{kept}",
        f"--ambient-caps=-all{kept}",
        # Changing the account forgets the signal that die_with_parent asked for.
        f"--pdeathsig={signal.SIGINT.name.removeprefix('SIG')}",
    ]


def _is_open(path: Path) -> bool:
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)


def _capability() -> str:
    status = Path("/proc/self/status").read_text()
    effective = int(status.split("CapEff:")[1].split()[0], 16)
    for name, number in _CAPABILITIES.items():
        if effective >> number & 1:
            return name
    raise StackError(
        f"The account {ACCOUNT} cannot reach this folder; move the checkout, "
        "or start the stack as its owner."
    )
