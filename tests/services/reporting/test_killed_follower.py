import asyncio
import sys
from itertools import count

import orjson
import pytest
from pydantic import SecretStr

from services.reporting.followers import followers
from shared.journal.follow import rebuild
from tests.services.reporting.follower_process import IN_THE_MIDDLE
from tests.support.services import service_headers

pytestmark = [pytest.mark.stack, pytest.mark.slow]


@pytest.fixture
async def shop(post, move, spoil):
    """Sixty movements each of an item that follows well and of one that stops at a third."""
    await post("/api/locations", name="Main", type="warehouse")
    for code in ("A1", "B1"):
        await post("/api/inventory/add-item", code=code, name=code, unit_cost="2")
    for n in range(60):
        await move("A1", "1", reference=f"fine {n}")
        await move("B1", "1", reference=f"bad {n}")
    await spoil("bad 20", occurred_at="-infinity")
    await spoil("bad 30", quantity="many")


@pytest.fixture
def state(superuser, caller):
    """What the read models hold of the caller's tenant, but for sealed amounts."""

    async def read():
        return [
            [tuple(row) for row in await superuser.fetch(statement, caller.tenant_id)]
            for statement in (
                "SELECT item_id, on_hand FROM reporting.levels WHERE tenant_id = $1 ORDER BY 1",
                "SELECT item_id, held FROM reporting.item_values WHERE tenant_id = $1 ORDER BY 1",
                "SELECT day, kind, movements FROM reporting.movement_days WHERE tenant_id = $1",
                "SELECT seq, type FROM reporting.audit_entries WHERE tenant_id = $1 ORDER BY 1",
            )
        ]

    return read


@pytest.fixture
async def process(reporting_settings, inventory, tmp_path):
    """Start a follower of inventory's journal as it is now; it stops in its n-th setting aside."""
    entries, after = [], {}
    while not entries or after:
        feed = await inventory.get("/internal/journal", params=after, headers=service_headers())
        found = feed.json()["entries"]
        after = {f"after_{name}": found[-1][name] for name in ("xid", "seq")} if found else {}
        entries += found
    settings = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in reporting_settings
    }
    (tmp_path / "settings.json").write_bytes(orjson.dumps(settings, default=str))
    (tmp_path / "entries.json").write_bytes(orjson.dumps(entries))

    async def start(stop_at):
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.services.reporting.follower_process",
            tmp_path / "settings.json", tmp_path / "entries.json", str(stop_at),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip

    return start


async def test_killed_while_it_sets_aside_it_does_all_of_it_once(
    shop, follow, process, aside, state, resources
):
    await follow()
    expected = (await aside(), await state())
    await rebuild(followers(resources.own), resources.database)

    for kills in count():
        running = await process(stop_at=kills + 1)
        said = await running.stdout.readline()
        if said.decode().strip() == IN_THE_MIDDLE:
            running.kill()
        ended = await running.wait()
        if ended == 0:
            break
        assert ended == -9

    assert kills > 3
    assert [row[0] for row in expected[0]] == [f"bad {n}" for n in range(20, 60)]
    assert (await aside(), await state()) == expected
