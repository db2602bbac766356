"""What all stock is worth, beside kits that are made and taken apart in inventory."""

import asyncio
from decimal import Decimal
from random import Random

import pytest

from services.reporting.followers import followers
from shared.journal import follow as following
from shared.journal.follow import apply_page, rebuild
from tests.support.waiting import pause

pytestmark = pytest.mark.stack

URL = "/api/reports/inventory-value"
KITS = "/api/inventory/kits"


@pytest.fixture
async def kits(post, move):
    """Components whose last cost is not their average, and a kit within a kit; by their codes."""
    await post("/api/locations", name="Main", type="warehouse")
    for code in ("A1", "B1", "C1", "K1", "K2"):
        tracking = {"tracking": "serial"} if code == "C1" else {}
        await post("/api/inventory/add-item", code=code, name=code, **tracking)
    made = {
        "K1": await post(KITS, item="K1", components=_components(A1="2", B1="0.7")),
        "K2": await post(KITS, item="K2", components=_components(K1="3", A1="1")),
        "C1": await post(KITS, item="C1", components=_components(A1="3")),
    }
    for cost in ("2", "3.333333"):
        await move("A1", "50", unit_cost=cost)
        await move("B1", "30", unit_cost=cost)
    return {code: kit["id"] for code, kit in made.items()}


def _components(**parts):
    return [{"item": code, "quantity": quantity} for code, quantity in parts.items()]


@pytest.fixture
def act(post, kits):
    async def send(act, kit, quantity, **more):
        path = f"{KITS}/{kits[kit]}/{act}"
        return await post(path, quantity=quantity, location="Main", **more)

    return send


@pytest.fixture
def values(get, follow):
    """Read what each item is worth, and all of them, once the journal is applied."""

    async def read():
        await follow()
        reports = [await get(URL, by=by) for by in ("item", "category", "location")]
        assert len({report["total"] for report in reports}) == 1
        worth = {row["key"]: Decimal(row["value"]) for row in reports[0]["items"]}
        assert sum(worth.values()) == Decimal(reports[0]["total"])
        return worth, Decimal(reports[0]["total"])

    return read


async def test_making_a_kit_and_taking_it_apart_changes_no_total(act, values, get):
    before = await values()
    await act("assemble", "K1", "10")
    made = await values()
    await act("disassemble", "K1", "4")
    apart = await values()

    assert before == ({"A1": Decimal("266.67"), "B1": Decimal("160.00")}, Decimal("426.67"))
    # 20 of 100 and 7 of 60, at 2.6666665: not at 3.333333, which they cost last.
    assert made == (
        {"A1": Decimal("213.33"), "B1": Decimal("141.34"), "K1": Decimal(72)},
        before[1],
    )
    assert (apart[0]["K1"], apart[1]) == (Decimal("43.20"), before[1])
    stats = await get("/api/dashboard/stats")
    assert Decimal(stats["inventory_value"]["amount"]) == before[1]


async def test_undoing_an_assembly_changes_no_total(act, values, post, move):
    before = await values()
    made = await act("assemble", "K1", "5")
    await move("A1", "10", unit_cost="9")
    taken = await act("disassemble", "K1", "2")
    for movement in (taken, made):
        await post(f"/api/inventory/movements/{movement['id']}/reverse", reason="Typed wrongly.")

    worth, total = await values()

    assert total == before[1] + 90
    assert worth.keys() == {"A1", "B1"}


@pytest.mark.parametrize("page", [1, 2, 3, 1000])
async def test_kits_of_kits_and_serials_are_worth_the_same_wherever_pages_end(
    act, values, move, post, resources, monkeypatch, page
):
    monkeypatch.setattr(following, "PAGE_LIMIT", page)
    random = Random(page)  # noqa: S311 - the same numbers each time.
    await act("assemble", "K1", "6")
    total = (await values())[1]
    await act("assemble", "C1", "3", serials=["S1", "S2", "S3"])
    await act("assemble", "K2", "2")
    assert (await values())[1] == total
    await act("disassemble", "K2", "1")
    made = await act("assemble", "K1", str(random.randint(1, 9) / 2))
    assert (await values())[1] == total
    await act("disassemble", "C1", "2", serials=["S1", "S3"])
    await post(f"/api/inventory/movements/{made['id']}/reverse", reason="Typed wrongly.")
    assert (await values())[1] == total
    await move("A1", "7", unit_cost="5")
    await move("K1", "1", kind="issue")
    await act("disassemble", "K1", "2")
    expected = await values()

    monkeypatch.setattr(following, "PAGE_LIMIT", 5 - page % 3)
    await rebuild(followers(resources.own), resources.database)

    assert await values() == expected


async def test_a_follower_killed_anywhere_carries_each_cost_once(
    act, values, inventory_follower, resources, services, monkeypatch
):
    total = (await values())[1]
    for _ in range(4):
        await act("assemble", "K1", "5")
        await act("assemble", "K2", "1")
        await act("disassemble", "K1", "2")
        await act("disassemble", "K2", "1")

    monkeypatch.setattr(following, "PAGE_LIMIT", 2)
    kills = 0
    for delay_ms in range(0, 40, 2):
        page = asyncio.create_task(apply_page(inventory_follower, resources.database, services))
        await pause(delay_ms / 1000)
        kills += page.cancel()
        await asyncio.gather(page, return_exceptions=True)

    killed = await values()
    monkeypatch.setattr(following, "PAGE_LIMIT", 1000)
    await rebuild(followers(resources.own), resources.database)

    assert kills > 5
    assert killed[1] == total
    assert await values() == killed


async def test_what_an_open_assembly_keeps_is_sealed_and_leaves_with_the_next_movement(
    act, follow, move, superuser, caller
):
    await act("assemble", "K1", "5")
    await follow()
    after_it = await superuser.fetch(_KEPT, caller.tenant_id)
    await move("A1", "1")
    await follow()

    assert [b"2.66" in row["parts_sealed"] for row in after_it] == [False]
    assert await superuser.fetch(_KEPT, caller.tenant_id) == []


_KEPT = "SELECT parts_sealed FROM reporting.open_assemblies WHERE tenant_id = $1"
