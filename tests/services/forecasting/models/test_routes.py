import pytest

from services.forecasting.forecast.errors import NotTrained
from services.forecasting.models.errors import ModelNotFound
from shared.errors import MissingScope
from tests.services.forecasting.shop import days_ago
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack


async def listed(client, caller, **params):
    answer = await client.get("/api/ai/models/list", params=params, headers=caller.headers())
    return answer.json()["models"]


@pytest.fixture
async def versions(client, caller, stocked, train_here):
    """Two versions of A1, oldest first."""
    await train_here(item_code="A1")
    await train_here(item_code="A1")
    return (await listed(client, caller))[::-1]


async def test_a_model_tells_how_it_came_about(client, caller, versions):
    path = f"/api/ai/models/{versions[1]['id']}"

    found = (await client.get(path, headers=caller.headers())).json()

    assert (found["entity_id"], found["version"], found["status"]) == ("A1", 2, "active")
    assert found["requested"] == found["model_type"] == "seasonal_naive"
    assert found["usable_days"] == 56
    assert len(found["data_hash"]) == 64
    assert found["accuracy_metrics"] == found["baseline"]
    assert found["assumptions"] == []
    assert set(found["accuracy_metrics"]) >= {"mape", "wape", "mase", "rmsse"}


async def test_what_a_model_assumes_is_told_in_the_readers_language(
    client, caller, shop, follow, train_here
):
    await shop.open("S1")
    for ago in range(30, 0, -1):
        shop.move("receipt", "S1", 20, days_ago(ago))
        shop.move("issue", "S1", 20, days_ago(ago))
    await shop.record()
    await follow()
    await train_here(item_code="S1")
    [model] = await listed(client, caller)

    english = await client.get(f"/api/ai/models/{model['id']}", headers=caller.headers())
    french = await client.get(
        "/api/ai/forecast/S1", params={"lang": "fr"}, headers=caller.headers()
    )

    [assumed], [suppose] = english.json()["assumptions"], french.json()["assumptions"]
    assert assumed["code"] == suppose["code"] == "sold_out_days_counted"
    assert assumed["message"].startswith("Days on which stock ran out: 30 of 30.")
    assert suppose["message"].startswith("Jours de rupture de stock\u00a0: 30 sur 30.")
    assert [point["mean"] for point in french.json()["points"]] == [20.0] * 28


async def test_an_earlier_version_can_be_activated_again(client, caller, versions):
    path = f"/api/ai/models/{versions[0]['id']}/activate"

    answer = await client.post(path, headers=caller.headers())
    again = await client.post(path, headers=caller.headers())

    assert (answer.json()["version"], answer.json()["status"]) == (1, "active")
    assert again.json() == answer.json()
    assert [m["version"] for m in await listed(client, caller, status="active")] == [1]
    forecast = await client.get("/api/ai/forecast/A1", headers=caller.headers())
    assert forecast.json()["model"]["version"] == 1


async def test_an_archived_model_forecasts_nothing_but_stays(client, caller, versions):
    path = f"/api/ai/models/{versions[1]['id']}"

    answer = await client.delete(path, headers=caller.headers())

    assert answer.status_code == 204
    assert (await client.get(path, headers=caller.headers())).json()["status"] == "archived"
    forecast = await client.get("/api/ai/forecast/A1", headers=caller.headers())
    assert_problem(forecast, NotTrained)


async def test_models_are_filtered_and_paged(client, caller, versions, train_here):
    await train_here(item_code="B1")

    first = await client.get("/api/ai/models/list?limit=2", headers=caller.headers())
    cursor = first.json()["next_cursor"]
    rest = await listed(client, caller, cursor=cursor)

    assert [m["entity_id"] for m in first.json()["models"]] == ["B1", "A1"]
    assert [m["version"] for m in rest] == [1]
    assert {m["entity_id"] for m in await listed(client, caller, item_code="b1")} == {"B1"}
    assert await listed(client, caller, item_code="Z9") == []


async def test_another_tenant_sees_no_model(client, versions):
    stranger, path = Caller(), f"/api/ai/models/{versions[0]['id']}"

    assert await listed(client, stranger) == []
    for answer in (
        await client.get(path, headers=stranger.headers()),
        await client.delete(path, headers=stranger.headers()),
        await client.post(f"{path}/activate", headers=stranger.headers()),
    ):
        assert_problem(answer, ModelNotFound)


async def test_only_who_may_train_activates_and_archives(client, caller, versions):
    viewer = Caller(tenant_id=caller.tenant_id, scopes={"forecast:read"})
    path = f"/api/ai/models/{versions[0]['id']}"

    assert_problem(await client.delete(path, headers=viewer.headers()), MissingScope)
    assert_problem(await client.post(f"{path}/activate", headers=viewer.headers()), MissingScope)
