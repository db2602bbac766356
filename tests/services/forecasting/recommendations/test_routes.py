from datetime import timedelta

import pytest
from sqlalchemy import text

from shared.clock import utc_now
from shared.db import Stamp
from shared.errors import MissingScope, Unauthorized
from tests.services.forecasting.shop import WEEK, days_ago
from tests.support.services import Caller, assert_problem, service_headers

pytestmark = pytest.mark.stack

PATH = "/api/ai/recommendations"


@pytest.fixture
async def planned(shop, follow, train_here):
    """A1 is about to run out, B1 has enough, C1 is not trained."""
    packed = {"lead_time_days": 7, "pack_size": "12", "pack_unit": "case"}
    await shop.open("A1", "B1", "C1", **packed)
    shop.sell("A1", list(WEEK) * 8, stock=sum(WEEK) * 8 + 20)
    shop.sell("B1", list(WEEK) * 8, stock=10_000)
    await shop.record()
    await follow()
    await train_here(item_codes=["A1", "B1"])


async def ask(client, caller, **params):
    answer = await client.get(PATH, params=params, headers=caller.headers())
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_what_runs_out_before_delivery_is_to_be_ordered_in_whole_packs(
    client, caller, planned
):
    found = await ask(client, caller)

    [item] = found["items"]
    assert (item["item_code"], item["on_hand"], item["available"]) == ("A1", "20", "20")
    assert item["reason_code"] == "stock_out_before_delivery"
    assert item["order_by"] == str(days_ago(0))
    assert str(days_ago(0)) <= item["stock_out_date"] <= str(days_ago(-4))
    assert int(item["order_quantity"]) == item["packs"] * 12 > 0
    assert f"order {item['packs']} cases by" in item["reason"]
    demand = item["demand"]
    bounds = ["lower_95", "lower_80", "expected", "upper_80", "upper_95"]
    assert demand["days"] == 7
    assert sorted(bounds, key=lambda name: float(demand[name])) == bounds
    assert float(item["reorder_point"]) >= float(demand["expected"]) > 0


async def test_what_expires_is_not_counted_on_from_the_day_after_on(
    client, caller, shop, follow, train_here, monkeypatch
):
    await shop.open("A1", tracking="lot", lead_time_days=7)
    shop.move("receipt", "A1", sum(WEEK) * 8 + 20, days_ago(56), lot="EVER")
    for number, quantity in enumerate(list(WEEK) * 8):
        shop.move("issue", "A1", quantity, days_ago(56 - number))
    shop.move("receipt", "A1", 10_000, days_ago(1), lot="OLD", expires_on=str(days_ago(-1)))
    await shop.record()
    await follow()
    await train_here(item_codes=["A1"])

    assert (await ask(client, caller))["items"] == []
    monkeypatch.setattr("shared.web.requests.utc_now", lambda: utc_now() + timedelta(days=2))

    [item] = (await ask(client, caller))["items"]
    assert (item["on_hand"], item["available"]) == ("10020", "20")


async def test_all_shows_items_to_leave_alone_too(client, caller, planned):
    found = await ask(client, caller, all=True)

    assert [item["item_code"] for item in found["items"]] == ["A1", "B1"]
    assert found["items"][1]["order_quantity"] == "0"
    assert found["items"][1]["reason_code"] == "enough_stock"


async def test_pages_go_on_where_they_ended(client, caller, planned):
    first = await ask(client, caller, all=True, limit=1)
    second = await ask(client, caller, all=True, limit=1, cursor=first["next_cursor"])

    assert [i["item_code"] for i in first["items"] + second["items"]] == ["A1", "B1"]
    assert (await ask(client, caller, all=True, cursor=second["next_cursor"]))["items"] == []


async def test_a_page_is_never_larger_than_asked(client, caller, shop, follow, train_here):
    codes = [f"A{number}" for number in range(5)]
    await shop.open(*codes)
    for code in codes:
        shop.sell(code, list(WEEK) * 4, stock=sum(WEEK) * 4 + (10_000 if code == "A1" else 1))
    await shop.record()
    await follow()
    await train_here(item_codes=codes)

    first = await ask(client, caller, limit=2)
    second = await ask(client, caller, limit=2, cursor=first["next_cursor"])

    pages = [[item["item_code"] for item in page["items"]] for page in (first, second)]
    assert pages == [["A0", "A2"], ["A3", "A4"]]


async def test_the_reason_and_the_name_come_in_french(client, caller, planned):
    found = await ask(client, caller, lang="fr")

    assert found["items"][0]["name"] == "Article A1"
    assert found["items"][0]["reason"].startswith("Le stock couvre")


async def test_a_name_missing_in_one_language_comes_in_the_other(client, caller, planned, database):
    async with database.transaction(Stamp(caller.tenant_id, "test")) as session:
        await session.execute(text("UPDATE items SET name_fr = NULL"))

    found = await ask(client, caller, lang="fr")

    assert found["items"][0]["name"] == "Item A1"


async def test_another_service_reads_the_same_for_a_tenant(client, caller, planned):
    headers = service_headers("reporting", "forecast:read", target="forecasting")
    params = {"tenant": str(caller.tenant_id)}

    answer = await client.get("/internal/recommendations", params=params, headers=headers)

    assert answer.json() == await ask(client, caller) | {"without_order": ["B1"]}


async def test_the_internal_path_is_closed_to_people_and_other_services(client, caller):
    path, params = "/internal/recommendations", {"tenant": str(caller.tenant_id)}

    as_person = await client.get(path, params=params, headers=caller.headers())
    as_follower = await client.get(
        path, params=params, headers=service_headers("inventory", target="forecasting")
    )

    assert_problem(as_person, Unauthorized)
    assert_problem(as_follower, MissingScope)


async def test_another_tenant_sees_nothing(client, planned):
    assert (await ask(client, Caller()))["items"] == []
