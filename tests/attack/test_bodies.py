"""Fields that no body declares, in every body that there is; numbers that are no numbers."""

import httpx
import pytest

from tests.attack.attempts import Attack, shown
from tests.attack.documents import Operation, objects_in, with_field
from tests.attack.world import Client, World, new_person

# What an attacker would like to set, with the value that he would like.
EXTRA = {
    "tenant_id": "00000000-0000-0000-0000-000000000001", "tid": "default", "id": "1",
    "user_id": "1", "owner": "admin", "role": "admin", "roles": ["admin"],
    "scopes": ["user:manage", "tenant:manage"], "is_admin": True, "admin": True,
    "approved": True, "approved_by": "admin", "status": "active", "version": 99,
    "token_version": 99, "cost_price": "0.01", "created_at": "2020-01-01T00:00:00Z",
    "seq": 1, "locked_at": None, "verified": True, "__proto__": {"role": "admin"},
    "constructor": {"prototype": {"role": "admin"}},
}  # fmt: skip


@pytest.mark.asvs("D03")
async def test_fields_that_a_body_does_not_declare(attempts, client, world, document):
    with attempts.of("mass assignment: every body, every object in it") as attack:
        for operation in document.operations:
            if operation.body is not None and "properties" in operation.body:
                await assign(attack, client, world, operation)


async def assign(attack: Attack, client: Client, world: World, operation: Operation) -> None:
    """Send a valid body with one field more, which must be refused by its name."""
    platform = await world.stack.sign_in(world.client)
    headers = {} if operation.is_public else world.attacker.boss.headers
    headers = platform if operation.scope == "tenant:manage" else headers
    if operation.is_for_directories:
        headers = await world.attacker.directory(client)
    count = {"count_id": world.attacker.things["count_id"]}  # Its lines are read one by one.
    path = operation.at(dict.fromkeys(operation.parameters, world.attacker.id) | count)
    declared = operation.body["properties"].keys()
    for where, found in objects_in(operation.example):
        for name, value in EXTRA.items():
            if name in found or (not where and name in declared):
                continue
            body = with_field(operation.example, where, name, value)
            answer = await client.request(operation.method, path, json=body, headers=headers)
            attack.note(is_refused_by_name(answer, where, name), shown(answer))


def is_refused_by_name(answer: httpx.Response, where: tuple[str | int, ...], name: str) -> bool:
    """Say whether the field was refused as such, alone or with the line that it stood in."""
    if "/scim/" in answer.request.url.path:  # There what is not known is ignored (RFC 7643).
        return answer.is_client_error or name not in answer.json()
    read = answer.json() if answer.status_code != 204 else {}
    if read.get("applied") == 0 or read.get("code") == "count_lines_refused":
        return f'"{name}: ' in answer.text
    named = ".".join(map(str, ("body", *where, name)))
    return answer.status_code == 422 and f'"{named}"' in answer.text


@pytest.mark.asvs("D03")
async def test_a_body_that_is_none_ends_nothing_else(attempts, client, world):
    """Signing out with fields of others, which ends no session but one's own."""
    person = await new_person(world.client, world.attacker, "viewer")
    other = world.people["clerk"]
    with attempts.of("mass assignment: signing others out") as attack:
        for body in ({"user_id": other.id}, {"session_id": other.id}, {"tenant_id": "x"}):
            answer = await client.post("/api/auth/logout", json=body, headers=person.headers)
            attack.expect(answer, 422)
        attack.expect(await client.get("/api/auth/me", headers=other.headers), 200)
        attack.expect(await client.get("/api/auth/me", headers=person.headers), 200)


NO_QUANTITY = (
    "-1", -1, "-0.0001", "NaN", "nan", "Infinity", "-Infinity", "1e309", "1E5", "0x10", "1_000",
    "0.00001", "1,5", " 1", "", "1" * 40, 2**63, 10**20, True, None, [], {}, "\u0661", "1.",
)  # fmt: skip
NO_COST = ("-0.01", "NaN", "0.123456789", 0.123456789, "1e-9", True, "free")


@pytest.mark.asvs("D08")
async def test_numbers_that_are_none(attempts, client, world):
    things, headers = world.attacker.things, world.attacker.boss.headers
    where = {"kind": "receipt", "item": things["code"], "location": things["name"]}
    path, item = "/api/inventory/movements", f"/api/inventory/{things['item_id']}"
    with attempts.of("numbers: quantities and costs that are none") as attack:
        before = (await client.get(f"{item}/stock", headers=headers)).json()
        for quantity in (*NO_QUANTITY, "0", 0):
            body = where | {"quantity": quantity}
            attack.expect(await client.post(path, json=body, headers=headers), 422)
        for cost in NO_COST:
            body = where | {"quantity": "1", "unit_cost": cost}
            attack.expect(await client.post(path, json=body, headers=headers), 422)
            changed = await client.patch(item, json={"unit_cost": cost}, headers=headers)
            attack.expect(changed, 422)
        for text in ("1e309", "-1e309", "NaN", "Infinity", "00", "1.0.0"):
            raw = f'{{"kind":"receipt","item":"{things["code"]}","quantity":{text}}}'
            answer = await client.post(
                path, content=raw, headers=headers | {"Content-Type": "application/json"}
            )
            attack.expect(answer, 400, 422)
        after = (await client.get(f"{item}/stock", headers=headers)).json()
        attack.note(after["on_hand"] == before["on_hand"], f"{before} became {after}")
