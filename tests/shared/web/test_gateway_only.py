"""A service's port, reached directly, serves nobody, whatever token he has."""

import httpx
import pytest

from shared.errors import ClocksApart, GatewayOnly, Unauthorized
from tests.support.services import assert_problem, service_headers
from tests.support.through_gateway import client_of, prove

pytestmark = [pytest.mark.stack, pytest.mark.asvs("C08")]
NOTES = "/api/shop/notes"


@pytest.fixture
async def direct(shop):
    """A client that does not come through the gateway."""
    async with httpx.AsyncClient(transport=shop._transport, base_url="http://service") as client:
        yield client


@pytest.mark.parametrize("path", [NOTES, "/api/shop/direct", "/api/nowhere", "/api/", "/status"])
async def test_a_good_token_alone_opens_nothing(direct, caller, path):
    asked = caller.headers(**{"X-Request-ID": "asked~1", "Accept-Language": "fr"})

    response = await direct.get(path, headers=asked)

    assert_problem(response, GatewayOnly)
    assert response.json()["title"] == "Par la passerelle uniquement"
    assert response.headers["x-request-id"] == "asked~1"


async def test_a_proof_is_not_taken_for_another_request_nor_from_another_key(direct, caller):
    one = direct.build_request("GET", NOTES, headers=caller.headers())
    prove(one)
    other = direct.build_request("POST", NOTES, headers=one.headers, json={})
    forged = direct.build_request("GET", NOTES, headers=caller.headers())
    prove(forged, key="55" * 32)

    assert (await direct.send(one)).status_code == 200
    assert_problem(await direct.send(other), GatewayOnly)
    assert_problem(await direct.send(forged), GatewayOnly)


@pytest.mark.parametrize("ahead_s", [-90, 90])
async def test_a_clock_that_is_wrong_is_named(direct, caller, ahead_s):
    asked = direct.build_request("GET", NOTES, headers=caller.headers())
    prove(asked, ahead_s=ahead_s)

    response = await direct.send(asked)

    assert_problem(response, ClocksApart)
    assert response.headers["retry-after"] == "60"
    assert "more than a minute" in response.json()["detail"]


async def test_services_and_probes_ask_directly(direct):
    asked = await direct.get("/internal/journal", headers=service_headers(target="shop"))

    assert asked.status_code == 200
    assert (await direct.get("/health/live")).status_code == 200
    assert_problem(await direct.get("/internal/journal"), Unauthorized)


async def test_the_client_is_the_one_that_the_gateway_names(shop):
    app = shop._transport.app
    seen = []

    async def note(scope, receive, send):
        seen.append(scope["client"])
        await app(scope, receive, send)
        seen.append(scope["client"])

    async with client_of(note, "2001:db8::7") as client:
        await client.get(NOTES)

    assert seen == [("127.0.0.1", 123), ("2001:db8::7", 0)]
