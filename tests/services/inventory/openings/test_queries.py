"""Whatever was recorded, and whenever it leaves: what lies, lay since, and verifies is the same."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from services.inventory.snapshot_taker import SnapshotTaker
from tests.support.past import MONTHS

pytestmark = pytest.mark.stack
PLACES = ("Main", "Shop", "Bin")
SERIALS = tuple(f"N{number}" for number in range(6))
LOTS = ("B1", "B2")
ITEMS = {"P1": "none", "L1": "lot", "S1": "serial"}
LINES = 25


def line(chance):
    """A movement, possible or not: of each item, of every kind, at once or a while ago."""
    item = chance.choice(tuple(ITEMS))
    kind = chance.choice(["receipt", "receipt", "issue", "transfer", "count_correction", "return"])
    place, other = chance.sample(PLACES, 2)
    body = {"kind": kind, "item": item, "location": place}
    if kind == "transfer":
        body["to_location"] = other
    if kind == "return":
        body["reason_code"] = "not_needed"
    if ITEMS[item] == "serial":
        body["serials"] = chance.sample(SERIALS, chance.randint(1, 2))
    else:
        body["quantity"] = str(chance.randint(1, 9))
    if ITEMS[item] == "lot" and (kind == "receipt" or chance.random() < 0.5):
        body["lot"] = chance.choice(LOTS)
    if chance.random() < 0.3:
        ago = timedelta(seconds=chance.randint(1, 25 * 86_400))
        body["occurred_at"] = (datetime.now(UTC) - ago).isoformat()
    return body


@pytest.fixture
def read(client, caller):
    async def get(path, **query):
        answer = await client.get(path, params=query, headers=caller.headers())
        assert answer.status_code == 200, answer.text
        return answer.json()

    return get


@pytest.mark.parametrize("seed", range(5))
async def test_what_is_left_answers_as_all_of_it_did(
    make_location, make_item, past, client, caller, read, seed
):
    chance = Random(seed)  # noqa: S311 - to be repeated.

    async def record():
        lines = [line(chance) for _ in range(LINES)]
        body = {"mode": "each", "lines": lines}
        answer = await client.post(
            "/api/inventory/movements/bulk", json=body, headers=caller.headers()
        )
        assert answer.status_code == 201, answer.text
        return sum(each["status"] == "applied" for each in answer.json()["results"])

    for place in PLACES:
        await make_location(place)
    ids = {code: (await make_item(code, tracking=kind))["id"] for code, kind in ITEMS.items()}
    months = chance.sample(MONTHS, chance.randint(1, 3))
    for month in sorted(months):
        assert await record()
        await past.age(month)
    assert await record()
    taker = SnapshotTaker(past.database.opener("test"), size=10)
    await taker.retake(caller.tenant_id)

    async def answers(instants):
        found = [await read("/api/inventory/verify")]
        found[0].pop("checked")
        found[0].pop("journal")
        for item_id in ids.values():
            found.append(await read(f"/api/inventory/{item_id}/stock"))
            found += [await read(f"/api/inventory/{item_id}/stock", **when) for when in instants]
        for each in found:
            each.pop("as_of", None)
        return found

    leaving = sorted(months)[: chance.randint(1, len(months))]
    last = leaving[-1]
    begin = datetime(last.year, last.month + 1, 1, tzinfo=UTC)
    now = datetime.now(UTC)
    spans = [chance.random() * (now - begin) for _ in range(4)]
    instants = [{"as_of": (begin + span).isoformat()} for span in spans]
    instants += [{"known_at": (begin + span).isoformat()} for span in spans]
    instants += [
        {"as_of": (now - timedelta(days=chance.randint(0, 40))).isoformat()} for _ in range(3)
    ]
    before = await answers(instants)
    assert before[0]["ok"], before[0]

    await past.detach(*leaving)

    assert await answers(instants) == before
    await taker.retake(caller.tenant_id)
    assert await answers(instants) == before
    assert await record()
    assert (await read("/api/inventory/verify"))["ok"]
