from collections.abc import Awaitable, Callable
from uuid import uuid4

import httpx
import pytest

from services.auth.tenants.errors import TenantNotFound
from shared.errors import MissingScope, ValidationFailed
from tests.services.auth.people import SignedIn, claims_of
from tests.support.services import assert_problem, service_headers

pytestmark = [pytest.mark.stack, pytest.mark.asvs("E11")]
GATEWAY = service_headers("gateway", "revocations:read", target="auth")


def path_of(tenant_id: object) -> str:
    return f"/api/tenants/{tenant_id}/limits"


@pytest.fixture
async def tenant_id(make_tenant: Callable[..., Awaitable[SignedIn]]) -> str:
    return str(claims_of((await make_tenant()).access_token)["tid"])


async def told(client: httpx.AsyncClient) -> dict[str, int]:
    """What the gateway learns."""
    answer = await client.get("/internal/revocations", headers=GATEWAY)
    found: dict[str, int] = answer.json()["requests_per_minute"]
    return found


async def test_a_limit_is_set_changed_and_taken_back(client, platform_admin, tenant_id):
    headers = platform_admin.headers()
    path = path_of(tenant_id)
    assert (await client.get(path, headers=headers)).json() == {
        "tenant_id": tenant_id, "requests_per_minute": None,
    }  # fmt: skip

    for count in (600, 90_000, None):
        answer = await client.put(path, json={"requests_per_minute": count}, headers=headers)

        assert answer.status_code == 200
        assert answer.json() == {"tenant_id": tenant_id, "requests_per_minute": count}
        assert (await client.get(path, headers=headers)).json() == answer.json()
        assert (await told(client)).get(tenant_id) == count


async def test_only_the_platforms_administrator_may(client, boss, tenant_id):
    body = {"requests_per_minute": 5}

    assert_problem(await client.get(path_of(tenant_id), headers=boss.headers()), MissingScope)
    refused = await client.put(path_of(tenant_id), json=body, headers=boss.headers())

    assert_problem(refused, MissingScope)
    assert tenant_id not in await told(client)


async def test_a_tenant_that_is_not_there_has_none(client, platform_admin):
    headers = platform_admin.headers()
    body = {"requests_per_minute": 5}

    assert_problem(await client.get(path_of(uuid4()), headers=headers), TenantNotFound)
    refused = await client.put(path_of(uuid4()), json=body, headers=headers)

    assert_problem(refused, TenantNotFound)


@pytest.mark.parametrize("count", [0, -1, 100_000_001, "600", 1.5, True])
async def test_what_is_no_limit_is_refused(client, platform_admin, tenant_id, count):
    body = {"requests_per_minute": count}

    refused = await client.put(path_of(tenant_id), json=body, headers=platform_admin.headers())

    assert_problem(refused, ValidationFailed)
