from uuid import uuid4

import asyncpg
import httpx
import pytest

from shared.errors import MissingScope, Unauthorized
from tests.services.auth.people import SignedIn, claims_of
from tests.support.database import Databases
from tests.support.services import assert_problem, service_headers

pytestmark = pytest.mark.stack

PATH = "/internal/access-denied"
GATEWAY = service_headers("gateway", "denials:write", target="auth")


def denial(person: SignedIn) -> dict[str, str]:
    return {
        "tenant_id": claims_of(person.access_token)["tid"],
        "actor": f"user:{person.user['id']}",
        "request_id": "door-1",
        "route": "GET /api/audit",
        "needed": "audit:read",
    }


async def test_whom_the_gateway_refused_is_journaled_once_a_minute(
    client: httpx.AsyncClient, boss: SignedIn, databases: Databases
):
    said = denial(boss)
    for _ in range(3):
        answer = await client.post(PATH, json=said, headers=GATEWAY)
        assert (answer.status_code, answer.content) == (204, b"")

    connection = await asyncpg.connect(databases.superuser_dsn)
    [entry] = await connection.fetch(
        "SELECT * FROM auth.journal WHERE type = 'auth.access-denied.v1' AND actor = $1",
        said["actor"],
    )
    await connection.close()
    assert str(entry["tenant_id"]) == said["tenant_id"]
    assert entry["request_id"] == "door-1"
    assert '"needed":"audit:read"' in entry["data"].replace(" ", "")


async def test_only_the_gateway_may_say_so(client: httpx.AsyncClient, boss: SignedIn):
    other = service_headers("inventory", "journal:read", target="auth")

    assert_problem(await client.post(PATH, json=denial(boss), headers=other), MissingScope)
    assert_problem(await client.post(PATH, json=denial(boss), headers=boss.headers()), Unauthorized)


@pytest.mark.parametrize("wrong", [{"actor": "somebody"}, {"tenant_id": str(uuid4())[:-1]}])
async def test_what_nobody_could_be_is_refused(
    client: httpx.AsyncClient, boss: SignedIn, wrong: dict[str, str]
):
    answer = await client.post(PATH, json=denial(boss) | wrong, headers=GATEWAY)

    assert answer.status_code == 422
