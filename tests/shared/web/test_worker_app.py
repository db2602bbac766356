"""The app of a worker's metrics port: the edge of a service around health, status and metrics."""

from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import text

from shared.errors import NotFound, Unauthorized
from shared.resources import Resources, open_resources
from shared.security.claims import UserClaims
from shared.security.tokens import TokenVerifier
from shared.settings import ServiceSettings
from shared.web.app import worker_app
from tests.support.services import KEYS, Caller, assert_problem
from tests.support.through_gateway import SCRAPER, client_of
from tests.support.tree import ROOT

pytestmark = pytest.mark.stack


@pytest.fixture
async def resources(service_environment, databases) -> AsyncIterator[Resources[None]]:
    settings = ServiceSettings(**service_environment, database_url=databases.superuser_dsn)
    opened = open_resources("shop", settings)
    yield opened
    await opened.close()


@pytest.fixture
async def worker(resources) -> AsyncIterator[httpx.AsyncClient]:
    resources.users = TokenVerifier(KEYS, UserClaims)
    app = worker_app(ROOT / "services" / "inventory", resources)
    async with client_of(app) as client:
        yield client


async def test_the_status_of_a_worker_is_for_operators(worker):
    nobody = await worker.get("/status")
    french = await worker.get("/status", headers={"Accept-Language": "fr"})

    assert_problem(nobody, Unauthorized)
    assert french.json()["title"] == "Connexion requise"
    assert nobody.headers["x-request-id"] == nobody.json()["request_id"]


async def test_a_worker_that_fails_tells_nothing_of_its_inside(worker):
    """There is no schema of the shop's here, so that the status cannot be read."""
    response = await worker.get("/status", headers=Caller().headers())

    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "follower_cursors" not in response.text


@pytest.mark.asvs("F14")
async def test_health_of_a_worker_is_open_and_its_metrics_need_their_token(worker):
    assert (await worker.get("/health/live")).json() == {"status": "ok"}
    assert "http_requests_total" in (await worker.get("/metrics", headers=SCRAPER)).text
    assert_problem(await worker.get("/metrics"), Unauthorized)
    assert_problem(await worker.get("/metrics", headers=Caller().headers()), Unauthorized)
    assert_problem(await worker.get("/nowhere"), NotFound)


@pytest.mark.parametrize(
    ("told", "status"),
    [("made", "ok"), ("none", "ok"), ("late", "degraded"), ("failed", "degraded")],
)
async def test_what_a_service_alone_knows_is_part_of_its_health(worker, resources, told, status):
    async def tell(_open_for, _now):
        return {"backup": told}

    resources.tell_health = tell

    answer = (await worker.get("/health")).json()

    assert (answer["status"], answer["backup"]) == (status, told)


async def test_health_answers_though_a_service_cannot_tell_of_itself(worker, resources):
    async def tell(open_for, _now):
        async with open_for(None) as session:
            await session.execute(text("SELECT 1 FROM nowhere"))

    resources.tell_health = tell

    assert (await worker.get("/health")).json()["status"] == "ok"
