import asyncio
from contextlib import suppress
from decimal import Decimal

import pytest
from sqlalchemy import text

from services.forecasting.consumption.service import apply_entries
from shared.contracts.inventory.items import ItemSaved
from shared.db import Stamp
from shared.ids import new_id
from shared.journal import Entry
from shared.journal.aside import is_incomplete
from shared.journal.follow import apply_page, rebuild
from tests.services.forecasting.shop import days_ago
from tests.support.waiting import pause

pytestmark = pytest.mark.stack

TABLES = {
    "items": "SELECT id, code, name_en, name_fr, pack_size, lead_time_days, active FROM items",
    "levels": "SELECT item_id, location_id, on_hand, reserved FROM levels",
    "consumption": "SELECT item_id, location_id, day, issued, returned, received, transferred, "
    "adjusted, counted FROM consumption",
}


async def read_models(database, caller):
    async with database.transaction(Stamp(caller.tenant_id, "test")) as session:
        return {
            table: sorted(map(tuple, await session.execute(text(statement))))
            for table, statement in TABLES.items()
        }


def saved(code, name):
    return ItemSaved(
        item_id=new_id(), code=code, name_en=name, name_fr=name, category=None, unit="each",
        pack_size=Decimal(1), pack_unit=None, par_level=None, reorder_point=None,
        reorder_quantity=None, lead_time_days=None, cost_id=None, active=True, changed=[],
    )  # fmt: skip


def journaled(entry: Entry):
    return {"type": entry.name, "data": entry.model_dump(mode="json")}


async def busy_shop(shop):
    await shop.open("A1", "B1", lead_time_days=5)
    shop.sell("A1", [3, 0, 5, 2], stock=100)
    shop.move("adjustment", "A1", 4, days_ago(2), direction="out", reason="damaged")
    shop.move("count_correction", "A1", 80, days_ago(1))
    shop.sell("B1", [1] * 10, stock=10)
    await shop.record()


async def test_only_issues_are_consumption_and_the_stock_is_the_ledgers(
    client, caller, shop, follow, database
):
    await busy_shop(shop)

    await follow()

    found = await read_models(database, caller)
    assert sorted(int(row[2]) for row in found["levels"]) == [0, 80]
    window = {"from": str(days_ago(9)), "to": str(days_ago(0))}
    answer = await client.get("/api/ai/consumption/A1", params=window, headers=caller.headers())
    days = answer.json()["days"]
    assert [day["quantity"] for day in days] == ["3", "0", "5", "2", "0"]
    assert [day["on_hand"] for day in days] == ["97", "97", "88", "80", "80"]
    assert days[3]["unrecorded"] == "6"


async def test_returns_lower_demand_and_losses_are_none(client, caller, shop, follow):
    await shop.open("A1")
    shop.move("receipt", "A1", 50, days_ago(4))
    shop.move("issue", "A1", 10, days_ago(3))
    shop.move("return", "A1", 4, days_ago(3))
    shop.move("write_off", "A1", 6, days_ago(2), reason_code="expired")
    shop.move("return", "A1", 5, days_ago(2), direction="out")
    shop.move("return", "A1", 1, days_ago(1))
    await shop.record()
    await follow()

    window = {"from": str(days_ago(4)), "to": str(days_ago(1))}
    answer = await client.get("/api/ai/consumption/A1", params=window, headers=caller.headers())

    days = answer.json()["days"]
    assert [day["quantity"] for day in days] == ["0", "6", "0", "0"]
    assert [day["on_hand"] for day in days] == ["50", "44", "33", "34"]
    assert answer.json()["total"] == "6"


async def test_an_issue_from_several_lots_is_demand_once_and_given_back_whole(
    client, caller, shop, follow
):
    await shop.open("A1", tracking="lot")
    for lot in ("L1", "L2", "L3"):
        shop.move("receipt", "A1", 10, days_ago(4), lot=lot)
    shop.move("issue", "A1", 25, days_ago(3))
    shop.move("issue", "A1", 4, days_ago(2))
    await shop.record()
    await follow()
    window = {"from": str(days_ago(4)), "to": str(days_ago(1))}
    path = "/api/ai/consumption/A1"
    before = (await client.get(path, params=window, headers=caller.headers())).json()["days"]

    undone = await shop.reverse("issue", "4")
    await follow()

    days = (await client.get(path, params=window, headers=caller.headers())).json()["days"]
    assert undone == 201
    assert [day["quantity"] for day in before] == ["0", "25", "4", "0"]
    assert [day["on_hand"] for day in before] == ["30", "5", "1", "1"]
    assert [day["quantity"] for day in days] == ["0", "25", "0", "0"]


async def test_what_was_undone_was_no_demand_on_the_day_it_was_recorded_for(
    client, caller, shop, follow
):
    await shop.open("A1")
    shop.move("receipt", "A1", 50, days_ago(4))
    shop.move("issue", "A1", 10, days_ago(3))
    shop.move("issue", "A1", 7, days_ago(3))
    shop.move("return", "A1", 2, days_ago(2))
    shop.move("issue", "A1", 5, days_ago(2))
    shop.move("write_off", "A1", 4, days_ago(1), reason_code="lost")
    await shop.record()
    await follow()
    wanted = [("issue", "10"), ("return", "2"), ("write_off", "4"), ("receipt", "50")]
    undone = [await shop.reverse(*each) for each in wanted]
    await follow()

    window = {"from": str(days_ago(4)), "to": str(days_ago(0))}
    answer = await client.get("/api/ai/consumption/A1", params=window, headers=caller.headers())

    assert undone == [201, 201, 201, 409]
    days = answer.json()["days"]
    assert [day["quantity"] for day in days] == ["0", "7", "5", "0", "0"]
    assert [day["on_hand"] for day in days] == ["50", "33", "30", "26", "38"]


async def test_two_items_may_take_each_others_code(caller, database):
    first, second = saved("A1", "First"), saved("B1", "Second")
    swapped = [first.model_copy(update={"code": "B1"}), second.model_copy(update={"code": "A1"})]

    for page in ([first, second], swapped):
        async with database.transaction(Stamp(caller.tenant_id, "test")) as session:
            await apply_entries(session, [journaled(each) for each in page])

    found = await read_models(database, caller)
    assert {row[1]: row[2] for row in found["items"]} == {"A1": "Second", "B1": "First"}


async def test_what_is_entered_late_counts_on_the_day_it_happened(client, caller, shop, follow):
    await shop.open("A1")
    shop.move("receipt", "A1", 50, days_ago(5))
    shop.move("issue", "A1", 3, days_ago(1))
    await shop.record()
    await follow()
    shop.move("issue", "A1", 4, days_ago(3))
    await shop.record()
    await follow()

    window = {"from": str(days_ago(5)), "to": str(days_ago(0))}
    answer = await client.get("/api/ai/consumption/A1", params=window, headers=caller.headers())

    days = answer.json()["days"]
    assert [day["quantity"] for day in days] == ["0", "0", "4", "0", "3", "0"]
    assert [day["on_hand"] for day in days] == ["50", "50", "46", "46", "43", "43"]


async def test_a_follower_cancelled_anywhere_applies_everything_once(
    caller, shop, follow, follower, feed, database
):
    await follow()
    await busy_shop(shop)

    # Cut off ever later: before the page is read, while it is applied, before it is committed.
    for delay_s in [number * 0.001 for number in range(40)]:
        task = asyncio.create_task(apply_page(follower, database, feed))
        await pause(delay_s)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await follow()

    found = await read_models(database, caller)
    assert sorted(int(row[2]) for row in found["levels"]) == [0, 80]
    assert sum(int(row[3]) for row in found["consumption"]) == 20


async def test_two_followers_at_once_apply_everything_once(
    caller, shop, follow, follower, feed, database
):
    await follow()
    await busy_shop(shop)

    await asyncio.gather(*(apply_page(follower, database, feed) for _ in range(5)))
    await follow()

    found = await read_models(database, caller)
    assert sum(int(row[3]) for row in found["consumption"]) == 20


async def test_rebuilt_read_models_are_what_they_were(caller, shop, follow, follower, database):
    await busy_shop(shop)
    await follow()
    before = await read_models(database, caller)

    await rebuild([follower], database)
    cleared = await read_models(database, caller)
    await follow()

    assert cleared == {"items": [], "levels": [], "consumption": []}
    assert await read_models(database, caller) == before
    assert len(before["items"]) == 2


async def test_until_a_rebuild_is_done_what_is_read_is_incomplete(
    caller, shop, follow, follower, database
):
    async def incomplete():
        async with database.transaction(Stamp(caller.tenant_id, "test")) as session:
            return await is_incomplete(session)

    await busy_shop(shop)
    await follow()

    before = await incomplete()
    await rebuild([follower], database)
    emptied = await incomplete()
    await follow()

    assert (before, emptied, await incomplete()) == (False, True, False)
