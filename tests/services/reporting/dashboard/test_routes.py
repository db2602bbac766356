from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from services.reporting.resources import ReportingOwn
from shared.cache import Cache
from shared.errors import MissingScope, Unauthorized
from tests.services.reporting.conftest import InProcessServices
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack

URL = "/api/dashboard/stats"
MOVE = "/api/inventory/movements"


@pytest.fixture
async def shop(post):
    await post("/api/locations", name="Main", type="warehouse")
    await post("/api/locations", name="Shop", type="warehouse")
    for code, point in (("LOW", 10), ("FULL", 1), ("NONE", None)):
        await post(
            "/api/inventory/add-item", code=code, name=code, unit_cost="2", reorder_point=point
        )
    for kind, quantity, days in (("receipt", 9, 8), ("issue", 1, 7.1), ("issue", 1, 6)):
        moment = (datetime.now(UTC) - timedelta(days=days)).isoformat()
        await post(
            MOVE, kind=kind, item="FULL", location="Main", quantity=quantity, occurred_at=moment
        )
    await post(MOVE, kind="receipt", item="LOW", location="Main", quantity=10)
    await post(MOVE, kind="receipt", item="FULL", location="Main", quantity=1)
    await post(MOVE, kind="transfer", item="FULL", location="Main", to_location="Shop", quantity=4)


async def test_stats_sum_up_stock_movements_and_value(shop, follow, get):
    await follow()

    stats = await get(URL)

    assert {name: stats[name] for name in ("items", "active_items", "on_hand_lines", "low_stock",
                                           "out_of_stock")} == {
        "items": 3, "active_items": 3, "on_hand_lines": 3, "low_stock": 1, "out_of_stock": 1
    }  # fmt: skip
    assert stats["movements"]["today"] == {"total": 3, "by_kind": {"receipt": 2, "transfer": 1}}
    assert stats["movements"]["last_7_days"] == {
        "total": 4,
        "by_kind": {"issue": 1, "receipt": 2, "transfer": 1},
    }
    assert stats["inventory_value"] == {
        "amount": "36",
        "currency": "USD",
        "unvalued_items": 0,
        "unreadable_items": 0,
    }
    assert datetime.fromisoformat(stats["as_of"]) <= datetime.now(UTC)


async def test_freshness_tells_what_is_not_yet_counted(shop, post, get, follow):
    await follow()
    current = (await get(URL))["freshness"]
    await post(MOVE, kind="receipt", item="LOW", location="Main", quantity=1)
    behind = (await get(URL, reader=Caller()))["freshness"]

    assert [(f["producer"], f["status"], f["lag_seconds"]) for f in current] == [
        ("auth", "unknown", None),
        ("forecasting", "unknown", None),
        ("inventory", "current", 0),
    ]
    assert behind[2]["status"] == "behind"
    assert 0 <= behind[2]["lag_seconds"] < 60


async def test_with_inventory_away_stats_answer_and_say_so(
    client, shop, follow, get, reporting_app
):
    await follow()
    reporting_app.state.resources.client = InProcessServices()

    stats = await get(URL)

    assert stats["items"] == 3
    assert {f["status"] for f in stats["freshness"]} == {"unknown"}


async def test_stats_are_kept_for_a_moment(shop, post, follow, get):
    await follow()
    first = await get(URL)
    await post(MOVE, kind="receipt", item="LOW", location="Main", quantity=50)
    await follow()

    kept = await get(URL)

    changing = {"lag_s", "behind", "freshness"}  # How old the figures are is told as of now.
    assert {name: kept[name] for name in kept if name not in changing} == {
        name: first[name] for name in first if name not in changing
    }


async def test_what_is_kept_is_sealed_and_names_nobody(shop, follow, get, caller, valkey_url):
    await follow()
    await get(URL)
    redis = Redis.from_url(valkey_url, decode_responses=True)

    kept = {key: await redis.get(key) async for key in redis.scan_iter("dashboard:*")}
    await redis.aclose()

    assert kept
    for key, value in kept.items():
        assert str(caller.tenant_id) not in key
        assert "inventory_value" not in value


async def test_with_valkey_away_stats_are_computed_each_time(
    shop, post, follow, get, reporting_app, monkeypatch
):
    own: ReportingOwn = reporting_app.state.resources.own
    nowhere = Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.2)
    monkeypatch.setattr(own, "cache", Cache(nowhere, b"", own.prices))
    await follow()
    before = await get(URL)
    await post(MOVE, kind="receipt", item="NONE", location="Main", quantity=1)
    await follow()

    assert (before["out_of_stock"], (await get(URL))["out_of_stock"]) == (1, 0)


async def test_value_is_left_out_for_those_who_may_not_see_it(shop, follow, get, caller):
    await follow()
    viewer = Caller(tenant_id=caller.tenant_id, scopes={"report:read", "inventory:read"})

    for reader in (caller, viewer):  # The second is answered from the cache.
        stats = await get(URL, reader=reader)
        assert (stats["inventory_value"] is None) == (reader is viewer)


async def test_another_tenant_sees_its_own_stats(shop, follow, get):
    await follow()

    stats = await get(URL, reader=Caller())

    assert (stats["items"], stats["on_hand_lines"], stats["movements"]["today"]["total"]) == (
        0,
        0,
        0,
    )
    assert stats["inventory_value"]["amount"] == "0"


async def test_stats_need_a_token_and_the_scope(client, caller):
    nobody = await client.get(URL)
    clerk = Caller(tenant_id=caller.tenant_id, scopes={"inventory:read", "stock:write"})

    assert_problem(nobody, Unauthorized)
    assert_problem(await client.get(URL, headers=clerk.headers()), MissingScope)
