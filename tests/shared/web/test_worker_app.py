"""The app of a worker's metrics port: the edge of a service around health, status and metrics."""

from collections.abc import AsyncIterator

import httpx
import pytest

from shared.errors import NotFound, Unauthorized
from shared.resources import open_resources
from shared.security.claims import UserClaims
from shared.security.tokens import TokenVerifier
from shared.settings import ServiceSettings
from shared.web.app import worker_app
from tests.support.services import KEYS, Caller, assert_problem
from tests.support.through_gateway import SCRAPER, client_of
from tests.support.tree import ROOT

pytestmark = pytest.mark.stack


@pytest.fixture
async def worker(service_environment, databases) -> AsyncIterator[httpx.AsyncClient]:
    settings = ServiceSettings(**service_environment, database_url=databases.superuser_dsn)
    resources = open_resources("shop", settings)
    resources.users = TokenVerifier(KEYS, UserClaims)
    app = worker_app(ROOT / "services" / "inventory", resources)
    async with client_of(app) as client:
        yield client
    await resources.close()


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
