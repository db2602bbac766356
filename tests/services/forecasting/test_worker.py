import os
import signal
from contextlib import suppress
from datetime import timedelta

import psutil
import pytest
from sqlalchemy import text

from services.forecasting import worker
from services.forecasting.jobs import adopt_orphans
from services.forecasting.training import service
from shared.clock import utc_now
from shared.db import Stamp
from shared.journal.follow import rebuild
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack


async def models_of(client, caller):
    answer = await client.get("/api/ai/models/list", headers=caller.headers())
    return answer.json()["models"]


async def journal_of(database, caller):
    async with database.transaction(Stamp(caller.tenant_id, "test")) as session:
        rows = await session.execute(text("SELECT type, actor, data FROM journal ORDER BY seq"))
        return [(row.type.split(".")[1], row.actor, row.data) for row in rows]


async def test_two_items_are_trained_through_queue_and_processes(
    client, caller, stocked, train, trainer, finished, database
):
    asked = await train(item_codes=["A1", "B1"])

    async with trainer():
        job = await finished(asked.json()["id"])

    assert asked.status_code == 202
    assert (asked.json()["state"], asked.json()["progress"]) == ("queued", 0)
    assert (job["state"], job["progress"], job["done"], job["total"]) == ("succeeded", 1, 2, 2)
    assert [result["item_code"] for result in job["results"]] == ["A1", "B1"]
    assert job["errors"] == []
    models = await models_of(client, caller)
    assert {(m["entity_id"], m["version"], m["status"]) for m in models} == {
        ("A1", 1, "active"),
        ("B1", 1, "active"),
    }
    entries = await journal_of(database, caller)
    assert [kind for kind, _, _ in entries] == [
        "training-requested", "model-trained", "model-trained", "job-finished"
    ]  # fmt: skip
    assert {actor for _, actor, _ in entries} == {f"user:{caller.id}"}


@pytest.mark.usefixtures("stocked")
async def test_no_item_is_trained_while_its_consumption_is_counted_anew(
    train, trainer, finished, follow, follower, database, monkeypatch
):
    monkeypatch.setattr(worker, "REBUILD_DELAY", timedelta(milliseconds=50))
    asked = await train(item_codes=["A1"])
    await rebuild([follower], database)

    async def tried():
        async with database.transaction(Stamp(None, "test")) as session:
            return await session.scalar(text("SELECT max(attempts) FROM pgqueuer"))

    async with trainer():
        await eventually(tried)
        await follow()
        job = await finished(asked.json()["id"])

    assert (job["state"], job["done"], job["errors"]) == ("succeeded", 1, [])


async def test_an_item_without_history_fails_and_the_others_go_on(
    client, caller, stocked, train, trainer, finished
):
    asked = await train(item_codes=["A1", "C1"])

    async with trainer():
        job = await finished(asked.json()["id"])

    assert job["state"] == "succeeded"
    assert [(e["item_code"], e["code"]) for e in job["errors"]] == [("C1", "no_data")]
    french = caller.headers(**{"Accept-Language": "fr"})
    answer = await client.get(f"/api/ai/jobs/{job['id']}", headers=french)
    assert answer.json()["errors"][0]["message"].startswith("L\u2019article n\u2019a jamais")


async def test_a_method_that_needs_more_days_says_how_many(
    caller, shop, follow, train, trainer, finished
):
    await shop.open("S1")
    shop.sell("S1", [1] * 10)
    await shop.record()
    await follow()

    async with trainer():
        job = await finished((await train(item_code="S1")).json()["id"])

    assert job["state"] == "failed"
    assert job["errors"][0]["code"] == "too_little_data"
    assert job["errors"][0]["message"].startswith("Usable days of demand: 10.")


async def test_training_again_makes_the_next_version_the_active_one(
    client, caller, stocked, train, trainer, finished
):
    async with trainer():
        await finished((await train(item_code="A1")).json()["id"])
        await finished((await train(item_code="A1")).json()["id"])

    models = await models_of(client, caller)
    assert [(m["version"], m["status"]) for m in models] == [(2, "active"), (1, "archived")]


async def test_a_result_saved_twice_is_kept_once(
    client, caller, stocked, train, trainer, finished, database
):
    asked = (await train(item_codes=["A1", "B1"])).json()
    stamp = Stamp(caller.tenant_id, "test")
    async with database.transaction(stamp) as session:
        item = await session.scalar(text("SELECT id FROM job_items WHERE item_code = 'A1'"))
    async with trainer():
        await finished(asked["id"])

    async with database.transaction(stamp) as session:
        again = await service.begin_item(session, item, now=utc_now())
        kept = await service.give_up_item(session, item, {"code": "crashed"}, now=utc_now())

    assert again is None
    assert kept is None
    assert len(await models_of(client, caller)) == 2


async def test_work_that_left_the_queue_is_queued_again(
    caller, stocked, train, trainer, finished, database
):
    asked = (await train(item_codes=["A1", "B1"])).json()
    async with database.transaction(Stamp(caller.tenant_id, "test")) as session:
        await session.execute(
            text("DELETE FROM pgqueuer WHERE id IN (SELECT queue_id FROM job_items)")
        )

    adopted = await adopt_orphans(database)

    assert adopted == 2
    assert await adopt_orphans(database) == 0
    async with trainer():
        assert (await finished(asked["id"]))["state"] == "succeeded"


@pytest.mark.slow
async def test_items_survive_the_death_of_their_process(
    client, caller, stocked, train, trainer, finished
):
    async with trainer():
        await finished((await train(item_codes=["A1", "B1"])).json()["id"])
        killed = training_processes()
        for child in killed:
            child.send_signal(signal.SIGKILL)
        job = await finished((await train(item_codes=["A1", "B1"])).json()["id"])

    assert killed
    assert job["state"] == "succeeded"
    versions = [(m["entity_id"], m["version"]) for m in await models_of(client, caller)]
    assert sorted(versions) == [("A1", 1), ("A1", 2), ("B1", 1), ("B1", 2)]


def training_processes():
    """Return the processes that fit, which the fork server has forked."""
    return [c for c in psutil.Process(os.getpid()).children(recursive=True) if fits(c)]


def fits(process):
    with suppress(psutil.Error):  # Gone since it was listed.
        return "forkserver" in " ".join(process.cmdline()) and not process.children()
    return False
