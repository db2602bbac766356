import asyncio
from errno import ENOSPC

from deploy.local import run
from deploy.local.instance import Note


class Written:
    """Takes no note while the disk is full."""

    def __init__(self, stop):
        self.tries, self._stop = 0, stop

    def write(self, _note):
        self.tries += 1
        if self.tries == 1:
            raise OSError(ENOSPC, "No space left on device")
        self._stop.set()


class Lineup:
    health_ports, superuser_dsn, redis_url = {}, "", ""

    def members(self):
        return []


async def test_a_full_disk_ends_nothing_that_runs(monkeypatch):
    monkeypatch.setattr(run, "NOTE_INTERVAL_S", 0.01)
    stop = asyncio.Event()
    instance = Written(stop)
    note = Note(pid=1, ready=True, url="", pids={})

    await run._until(stop, instance, note, Lineup())

    assert instance.tries == 2
