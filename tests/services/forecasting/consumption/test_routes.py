import pytest

from services.forecasting.consumption import queries as consumption
from services.forecasting.consumption.errors import InvalidWindow, ItemNotFound
from services.forecasting.recommendations import queries as recommendations
from shared.errors import ValidationFailed
from tests.services.forecasting.shop import days_ago
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack

WINDOW = {"from": str(days_ago(30)), "to": str(days_ago(0))}


@pytest.fixture
async def stocked(shop, follow):
    await shop.open("A1", "B1", "C1")
    shop.sell("A1", [2, 0, 3])
    shop.sell("B1", [4, 4], stock=8)
    await shop.record()
    await follow()
    return shop


async def derive(client, caller, **body):
    return await client.post(
        "/api/ai/consumption/derive", json=WINDOW | body, headers=caller.headers()
    )


async def test_derived_records_tell_sales_and_stock_outs(client, caller, stocked):
    response = await derive(client, caller)

    found = response.json()
    told = [(r["item_code"], r["quantity"], r["stock_out"]) for r in found["records"]]
    assert told == [
        ("A1", "2", False),
        ("A1", "3", False),
        ("B1", "4", False),
        ("B1", "4", True),
        ("B1", "0", True),
    ]
    assert found["derived"] == 5
    assert found["as_of"]
    assert found["next_cursor"] is None


@pytest.fixture
def follow_after(follow, monkeypatch):
    """Let more be counted as soon as this was read."""

    def arrange(queries, name):
        read = getattr(queries, name)

        async def read_and_follow(*args, **more):
            found = await read(*args, **more)
            await follow()
            return found

        monkeypatch.setattr(queries, name, read_and_follow)

    return arrange


@pytest.mark.parametrize(
    ("path", "queries", "name"),
    [
        ("/api/ai/consumption/A1?from={from}&to={to}", consumption, "list_ledger_days"),
        ("/api/ai/recommendations", recommendations, "list_forecast_items"),
    ],
)
async def test_what_is_counted_meanwhile_makes_figures_no_newer(
    client, caller, stocked, follow_after, path, queries, name
):
    path = path.format(**WINDOW)
    before = (await client.get(path, headers=caller.headers())).json()
    stocked.sell("A1", [7])
    await stocked.record()
    follow_after(queries, name)

    during = (await client.get(path, headers=caller.headers())).json()

    assert during["as_of"] == before["as_of"]


async def test_derived_records_come_a_page_of_items_at_a_time(client, caller, stocked):
    first = (await derive(client, caller, limit=1)).json()
    second = (await derive(client, caller, limit=1, cursor=first["next_cursor"])).json()
    named = (await derive(client, caller, items=["B1", "A1"], limit=1)).json()

    assert {r["item_code"] for r in first["records"]} == {"A1"}
    assert {r["item_code"] for r in second["records"]} == {"B1"}
    assert second["next_cursor"] is None
    assert {r["item_code"] for r in named["records"]} == {"A1"}
    assert named["next_cursor"]


async def test_what_cannot_be_derived_is_said(client, caller, stocked):
    reversed_window = {"from": "2026-02-01", "to": "2026-01-01"}

    assert_problem(await derive(client, caller, items=["Z9"]), ItemNotFound, item="Z9")
    assert_problem(await derive(client, caller, **reversed_window), InvalidWindow)
    assert_problem(await derive(client, caller, to="2099-12-31"), InvalidWindow)
    assert_problem(await derive(client, caller, to="9999-12-31"), ValidationFailed)
    assert (await derive(client, caller, limit=1, cursor="x")).status_code == 400


async def test_nothing_is_told_of_days_to_come(client, caller, stocked):
    window = {"from": "2099-01-01", "to": "2099-12-31"}
    near = {"from": str(days_ago(1)), "to": str(days_ago(-5))}

    far = await client.get("/api/ai/consumption/B1", params=window, headers=caller.headers())
    soon = await client.get("/api/ai/consumption/B1", params=near, headers=caller.headers())

    assert far.json()["days"] == []
    assert [day["date"] for day in soon.json()["days"]] == [str(days_ago(1)), str(days_ago(0))]


async def test_an_item_is_named_by_its_code_in_any_writing_or_by_its_id(
    client, caller, shop, follow
):
    item_id = await shop.open("1/2 Elbow #40")
    shop.sell("1/2 Elbow #40", [2, 3])
    await shop.record()
    await follow()

    by_id = await client.get(f"/api/ai/consumption/{item_id}", headers=caller.headers())
    by_code = await derive(client, caller, items=["1/2 ELBOW  #40", item_id])

    assert (by_id.json()["item_code"], by_id.json()["total"]) == ("1/2 Elbow #40", "5")
    assert [r["item_code"] for r in by_code.json()["records"]] == ["1/2 Elbow #40"] * 2


async def test_an_id_of_no_item_is_no_code(client, caller, stocked):
    nobody = "0190b6f0-5a3c-7000-8000-2f1c4d5e6f70"

    answer = await client.get(f"/api/ai/consumption/{nobody}", headers=caller.headers())

    assert_problem(answer, ItemNotFound, item=nobody)


async def test_an_item_never_moved_has_no_days(client, caller, stocked):
    answer = await client.get("/api/ai/consumption/C1", headers=caller.headers())

    assert answer.json()["days"] == []
    assert answer.json()["total"] == "0"


async def test_another_tenant_sees_nothing(client, stocked):
    stranger = Caller()

    answer = await client.get("/api/ai/consumption/A1", headers=stranger.headers())

    assert_problem(answer, ItemNotFound)
    assert (await derive(client, stranger)).json()["records"] == []
