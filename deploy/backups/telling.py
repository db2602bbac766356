"""How the programs of backups and moves speak to a person: what they do, and why they could not."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from deploy.backups.errors import BackupError
from deploy.local.errors import StackError


def say(text: str) -> None:
    """Tell a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def run_told(begin: Callable[[], Coroutine[Any, Any, None]], *, about: str) -> int:
    """Run to its end what `begin` returns, and return the exit code; what fails is told in a line.

    `about` is named where the system does not say which file is meant.
    """
    try:
        asyncio.run(begin())
    except (BackupError, StackError) as error:
        sys.stderr.write(f"{error}\n")
    except OSError as error:
        sys.stderr.write(f"{error.strerror or error}: {error.filename or about}\n")
    except KeyboardInterrupt:
        sys.stderr.write("\n")
    else:
        return 0
    return 1
