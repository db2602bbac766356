import pytest
from sqlalchemy import text

from services.forecasting.consumption.errors import ItemNotFound
from services.forecasting.training.errors import (
    JobAlreadyFinished,
    JobNotFound,
    NothingToTrain,
    TrainingDisabled,
)
from shared.db import Stamp
from shared.errors import MissingScope, ValidationFailed
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "one_selector"),
        ({"item_code": "A1", "top": 3}, "one_selector"),
        ({"item_codes": []}, "too_short"),
        ({"top": 0}, "greater_than_equal"),
        ({"item_code": "A1", "model_type": "oracle"}, "enum"),
        ({"item_code": "A1", "training_days": 1}, "greater_than_equal"),
        ({"item_code": "A1", "forecast_periods": 10_000}, "less_than_equal"),
        ({"item_code": "A1", "country": "Italy"}, "string_pattern_mismatch"),
        ({"item_code": "A1", "surprise": 1}, "extra_forbidden"),
    ],
)
async def test_bad_wishes_are_named(client, train, body, code):
    response = await train(**body)

    assert_problem(response, ValidationFailed)
    assert code in [error["code"] for error in response.json()["errors"]]


async def test_camel_case_names_are_accepted_too(client, caller, stocked):
    body = {"item_code": "A1", "trainingDays": 90, "forecastPeriods": 7}

    response = await client.post("/api/ai/forecast/train", json=body, headers=caller.headers())

    job = response.json()
    assert (job["training_days"], job["forecast_periods"]) == (90, 7)
    assert job["model_type"] == "auto"


async def test_top_takes_the_items_issued_most(caller, stocked, train, database):
    job = (await train(top=1)).json()

    async with database.transaction(Stamp(caller.tenant_id, "test")) as session:
        codes = list(await session.scalars(text("SELECT item_code FROM job_items")))
    assert job["total"] == 1
    assert codes == ["B1"]


async def test_top_of_nothing_says_so(shop, train):
    assert_problem(await train(top=5), NothingToTrain, training_days=730)


async def test_unknown_items_are_named_and_nothing_is_queued(client, caller, stocked, train):
    assert_problem(await train(item_codes=["A1", "Z9"]), ItemNotFound, item="Z9")

    listed = await client.get("/api/ai/jobs", headers=caller.headers())
    assert listed.json()["items"] == []


async def test_the_same_key_asks_once(client, caller, stocked, train):
    first = await train(key="t-1", item_code="A1")
    again = await train(key="t-1", item_code="A1")

    assert again.status_code == 202
    assert again.json() == first.json()
    listed = await client.get("/api/ai/jobs", headers=caller.headers())
    assert len(listed.json()["items"]) == 1


async def test_an_item_named_twice_is_trained_once(stocked, train):
    assert (await train(item_codes=["A1", "A1"])).json()["total"] == 1


async def test_cancelling_drops_what_is_queued(client, caller, stocked, train, database):
    job = (await train(item_codes=["A1", "B1"])).json()

    path = f"/api/ai/jobs/{job['id']}"
    cancelled = await client.delete(path, headers=caller.headers())
    again = await client.delete(path, headers=caller.headers())

    assert cancelled.status_code == 204
    assert_problem(again, JobAlreadyFinished)
    found = (await client.get(path, headers=caller.headers())).json()
    assert (found["state"], found["done"]) == ("cancelled", 0)
    async with database.transaction(Stamp(caller.tenant_id, "test")) as session:
        left = await session.scalar(
            text("SELECT count(*) FROM pgqueuer JOIN job_items ON queue_id = pgqueuer.id")
        )
    assert left == 0


async def test_jobs_are_listed_newest_first_in_pages(client, caller, stocked, train):
    ids = [(await train(item_code="A1")).json()["id"] for _ in range(3)]

    first = await client.get("/api/ai/jobs?limit=2", headers=caller.headers())
    cursor = first.json()["next_cursor"]
    rest = await client.get(f"/api/ai/jobs?limit=2&cursor={cursor}", headers=caller.headers())

    assert [job["id"] for job in first.json()["items"]] == ids[:0:-1]
    assert [job["id"] for job in rest.json()["items"]] == ids[:1]
    assert rest.json()["next_cursor"] is None


async def test_another_tenant_neither_sees_nor_cancels_a_job(client, stocked, train):
    job = (await train(item_code="A1")).json()
    stranger, path = Caller(), f"/api/ai/jobs/{job['id']}"

    assert_problem(await client.get(path, headers=stranger.headers()), JobNotFound)
    assert_problem(await client.delete(path, headers=stranger.headers()), JobNotFound)
    listed = await client.get("/api/ai/jobs", headers=stranger.headers())
    assert listed.json()["items"] == []


async def test_training_needs_its_scope(client, caller, stocked):
    viewer = Caller(tenant_id=caller.tenant_id, scopes={"forecast:read"})

    response = await client.post(
        "/api/ai/forecast/train", json={"item_code": "A1"}, headers=viewer.headers()
    )

    assert_problem(response, MissingScope)


async def test_training_can_be_switched_off(app, settings, stocked, train, monkeypatch):
    off = settings.model_copy(update={"ai_training_enabled": False})
    monkeypatch.setattr(app.state.resources, "own", off)

    assert_problem(await train(item_code="A1"), TrainingDisabled)
