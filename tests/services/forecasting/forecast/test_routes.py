import asyncpg
import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis
from sqlalchemy import text

from services.forecasting.consumption.errors import ItemNotFound
from services.forecasting.forecast.errors import ForecastExpired, LocationUnsupported, NotTrained
from shared.db import Stamp
from tests.services.forecasting.shop import days_ago
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack


async def ask(client, caller, code="A1", **params):
    return await client.get(f"/api/ai/forecast/{code}", params=params, headers=caller.headers())


async def test_a_trained_item_has_points_from_today_with_nested_intervals(
    client, caller, stocked, train_here
):
    await train_here(item_code="A1")

    found = (await ask(client, caller)).json()

    assert len(found["points"]) == 28
    assert found["points"][0]["date"] == str(days_ago(0))
    for point in found["points"]:
        assert 0 <= point["lower_95"] <= point["lower_80"] <= point["mean"]
        assert point["mean"] <= point["upper_80"] <= point["upper_95"]
    assert found["model"]["model_type"] == "seasonal_naive"
    assert found["accuracy"] == found["baseline"]


async def test_an_item_is_named_by_its_code_in_any_writing_or_by_its_id(
    client, caller, shop, follow, train_here
):
    item_id = await shop.open("Elbow 40")
    shop.sell("Elbow 40", [4] * 28)
    await shop.record()
    await follow()
    await train_here(item_codes=[item_id, "ELBOW  40"])

    by_id = await ask(client, caller, item_id)
    by_code = await ask(client, caller, "elbow 40")

    assert by_id.json() == by_code.json()
    assert by_id.json()["item_code"] == "Elbow 40"


async def test_periods_bound_the_points(client, caller, stocked, train_here):
    await train_here(item_code="A1")

    assert len((await ask(client, caller, periods=3)).json()["points"]) == 3
    assert (await ask(client, caller, periods=0)).status_code == 422


async def test_a_forecast_is_served_from_the_cache_until_another_model_is_active(
    client, caller, stocked, train_here
):
    def hits():
        return REGISTRY.get_sample_value("cache_hits_total", {"key_prefix": "forecast"}) or 0

    await train_here(item_code="A1")
    first = (await ask(client, caller)).json()
    before = hits()
    again = (await ask(client, caller)).json()
    cached = hits() - before
    await train_here(item_code="A1", forecast_periods=14)
    newer = (await ask(client, caller)).json()

    assert again == first
    assert cached == 1
    assert newer["model"]["version"] == 2
    assert len(newer["points"]) == 14


async def test_what_is_kept_is_sealed_and_names_nobody(
    client, caller, stocked, train_here, valkey_url
):
    await train_here(item_code="A1")
    forecast = (await ask(client, caller)).json()
    redis = Redis.from_url(valkey_url, decode_responses=True)

    kept = {key: await redis.get(key) async for key in redis.scan_iter("forecast:*")}
    await redis.aclose()

    assert kept
    for key, value in kept.items():
        assert forecast["model"]["id"] not in key
        assert "points" not in value


async def test_what_has_no_forecast_says_why(client, caller, stocked, train_here, database):
    assert_problem(await ask(client, caller, "Z9"), ItemNotFound, item="Z9")
    assert_problem(await ask(client, caller, "A1"), NotTrained, item="A1")
    assert_problem(await ask(client, caller, location="Main"), LocationUnsupported)


async def test_a_forecast_that_has_ended_says_when(
    client, caller, stocked, train_here, databases, database
):
    await train_here(item_code="A1")
    async with database.transaction(Stamp(caller.tenant_id, "test")) as session:
        [model] = await session.scalars(text("SELECT model_id FROM forecasts"))
    owner = await asyncpg.connect(databases.dsn("stock_owner"))
    await owner.execute(
        "UPDATE forecasting.forecasts SET first_day = $2, last_day = $2 WHERE model_id = $1",
        model, days_ago(1),
    )  # fmt: skip
    await owner.close()

    answer = await ask(client, caller)

    assert_problem(answer, ForecastExpired, item="A1", last_day=str(days_ago(1)))


async def test_another_tenant_sees_no_forecast(client, stocked, train_here):
    await train_here(item_code="A1")

    assert_problem(await ask(client, Caller()), ItemNotFound)
