"""A follower that a test can kill: applies the entries in a file to reporting's schema.

    python -m tests.services.reporting.follower_process SETTINGS ENTRIES STOP_AT

`SETTINGS` holds reporting's settings and `ENTRIES` inventory's whole journal, both as JSON. It ends
when all is applied, or waits to be killed after the rows of its STOP_AT-th page with entries to set
aside are written and before they are committed.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from services.reporting.followers import followers
from services.reporting.resources import open_service
from services.reporting.settings import Settings
from shared.journal import aside
from shared.journal.aside import Failure
from shared.journal.follow import apply_page
from shared.log import configure_logging

PAGE_SIZE = 10
IN_THE_MIDDLE = "in the middle"


class Feed:
    """Stands in for inventory: the feed of its journal, from a file."""

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self.entries = entries

    async def get_json(self, _service: str, _path: str, params: Mapping[str, Any]) -> Any:
        after = (params["after_xid"], params["after_seq"])
        left = [entry for entry in self.entries if (entry["xid"], entry["seq"]) > after]
        return {"entries": left[:PAGE_SIZE], "head_seq": self.entries[-1]["seq"]}


class StopAt:
    """Sets entries aside as ever, but for the n-th time with some never returns."""

    def __init__(self, stop_at: int) -> None:
        self.left = stop_at
        self.set_aside = aside.set_aside

    async def __call__(
        self, session: AsyncSession, producer: str, failures: Sequence[Failure]
    ) -> None:
        await self.set_aside(session, producer, failures)
        self.left -= bool(failures)
        if not self.left:
            sys.stdout.write(f"{IN_THE_MIDDLE}\n")
            sys.stdout.flush()
            await asyncio.Event().wait()


async def main(settings: Settings, entries: list[dict[str, Any]]) -> None:
    resources = open_service(settings)
    [follower] = [f for f in followers(resources.own) if f.producer == "inventory"]
    applied = 1
    while applied:
        applied = await apply_page(follower, resources.database, Feed(entries))  # type: ignore[arg-type]  # all that it asks of a client.
    await resources.close()


if __name__ == "__main__":
    configure_logging("tests", "CRITICAL", "json")
    given, journal = (orjson.loads(Path(path).read_bytes()) for path in sys.argv[1:3])
    aside.set_aside = StopAt(int(sys.argv[3]))
    asyncio.run(main(Settings(**given), journal))
