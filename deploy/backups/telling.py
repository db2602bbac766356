"""How the programs of backups and moves speak to a person: what they do, and why they could not."""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from deploy.backups.errors import BackupError
from deploy.local.errors import StackError


def say(text: str) -> None:
    """Tell a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def say_aside(text: str) -> None:
    """Tell how far it is, where the answer is for programs."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def run_told(
    begin: Callable[[], Coroutine[Any, Any, Mapping[str, Any] | None]],
    *,
    about: str,
    as_json: bool = False,
) -> int:
    """Run to its end what `begin` returns, and return the exit code; what fails is told in a line.

    `about` is named where the system does not say which file is meant.
    """
    failure = ""
    content: Mapping[str, Any] | None = None
    try:
        content = asyncio.run(begin())
    except (BackupError, StackError) as error:
        failure = str(error)
    except OSError as error:
        failure = f"{error.strerror or error}: {error.filename or about}"
    except KeyboardInterrupt:
        failure = "Interrupted."
    if failure:
        sys.stderr.write(f"{failure}\n")
    if as_json:
        said = {"ok": False, "error": failure} if failure else {"ok": True, **(content or {})}
        sys.stdout.write(json.dumps(said, ensure_ascii=False, default=str) + "\n")
    return 1 if failure else 0
