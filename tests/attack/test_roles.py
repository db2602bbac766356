"""Every operation with every role: let in or refused as the scopes that it declares say."""

from collections.abc import Mapping
from uuid import uuid4

import httpx
import pytest

from services.auth.users.rules import ALL_SCOPES, PLATFORM_SCOPE, SCOPES
from shared import scim
from tests.attack.attempts import code_of, shown
from tests.attack.documents import Document, Operation
from tests.attack.world import Client, World, post

# Refused by every operation once it has judged the caller: so nothing is done by who may.
HARMLESS = {"no_such_parameter": "1"}
JUDGED = {400, 404, 405, 409, 412, 413, 415, 422}


async def ask(client: Client, operation: Operation, headers: Mapping[str, str]) -> httpx.Response:
    path = operation.at({name: str(uuid4()) for name in operation.parameters})
    body = None if operation.body is None else operation.example
    return await client.request(operation.method, path, params=HARMLESS, json=body, headers=headers)


def is_let_in(answer: httpx.Response) -> bool:
    return answer.status_code in {400, 422} and "no_such_parameter" in answer.text


def is_refused(answer: httpx.Response) -> bool:
    if answer.headers.get("content-type") == scim.MEDIA_TYPE:  # Which has no codes.
        return answer.status_code == 403 and "user:provision" in answer.json()["detail"]
    return (answer.status_code, code_of(answer)) == (403, "missing_scope")


@pytest.mark.asvs("D01")
async def test_every_operation_with_every_role(attempts, client, world, document):
    with attempts.of("roles: every operation with every role") as attack:
        for role, scopes in SCOPES.items():
            for operation in document.operations:
                answer = await ask(client, operation, world.people[role].headers)
                may = operation.scope is None or operation.scope in scopes
                held = is_let_in(answer) if may else is_refused(answer)
                attack.note(held, f"{role}: {shown(answer)}")


@pytest.mark.asvs("D01")
async def test_every_operation_with_nobody_and_with_a_machine(attempts, client, world, document):
    boss = world.attacker.boss
    key = {"name": f"m-{uuid4().hex[:6]}", "scopes": ["inventory:read"]}
    machine = (await post(client, boss, "/api/auth/api-keys", key))["key"]
    with attempts.of("roles: every operation without a token") as attack:
        for operation in document.operations:
            answer = await ask(client, operation, {})
            held = is_let_in(answer) if operation.is_public else answer.status_code == 401
            attack.note(held, shown(answer))
    with attempts.of("roles: every operation with a machine's key") as attack:
        for operation in document.operations:
            answer = await ask(client, operation, {"Authorization": f"Bearer {machine}"})
            if operation.scope not in {None, "inventory:read"}:
                attack.note(is_refused(answer), shown(answer))
            elif operation.scope is not None:
                attack.note(is_let_in(answer), shown(answer))


@pytest.mark.asvs("D01")
async def test_no_operation_is_without_a_declared_access(attempts, document: Document):
    """And each scope is one that some role has."""
    known = ALL_SCOPES | {PLATFORM_SCOPE}
    with attempts.of("roles: declared access of every operation") as attack:
        for operation in document.operations:
            declared = operation.is_declared and operation.scope in {None, *known}
            attack.note(declared, operation.name)


async def test_a_tenants_administrator_is_none_of_the_platform(attempts, client, world: World):
    """Whoever administers a tenant gives nobody, not himself either, a right beyond his own."""
    boss = world.attacker.boss
    with attempts.of("roles: a right that one has not") as attack:
        for scope in (PLATFORM_SCOPE, "ops:everything", "*", "inventory:*"):
            wanted = {"name": "more", "scopes": [scope]}
            answer = await client.post("/api/auth/api-keys", json=wanted, headers=boss.headers)
            attack.expect(answer, 403, 404, 422)
        own = f"/api/users/{boss.id}"
        for role in ("platform", "root", "owner", "service", "enrolling", ["admin"], None):
            answer = await client.patch(own, json={"role": role}, headers=boss.headers)
            attack.expect(answer, 422)
        for path in ("/api/tenants", "/status"):
            attack.expect(await client.get(path, headers=boss.headers), 403)
        clerk = world.people["clerk"]
        wanted = {"name": "mine", "scopes": ["user:manage"]}
        answer = await client.post("/api/auth/api-keys", json=wanted, headers=clerk.headers)
        attack.expect(answer, 403, 404, 422)
