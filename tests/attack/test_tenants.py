"""Another tenant's things are as if they were not there, on every operation that names any."""

import json
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from tests.attack.attempts import Attack, shown, without
from tests.attack.documents import Document, Operation
from tests.attack.world import Client, Tenant, World, fill_own

# Whose list tells an id, where the name of the parameter alone does not say of what it is.
OF_PATH = {"/api/invitations/{user_id}": "invitation"}
# Roles and descriptions, which are the same in every tenant.
OF_NOBODY = {
    "/api/scim/v2/Groups/{name}", "/api/scim/v2/ResourceTypes/{name}", "/api/scim/v2/Schemas/{urn}",
}  # fmt: skip
# Fields of bodies and queries that name a thing that is there, and what of the victim's they get.
NAMING = {
    "item": ("item_id", "code"), "items": ("item_code",), "item_code": ("item_code",),
    "item_codes": ("item_code",), "codes": ("code", "item_id"), "code": ("code",),
    "location": ("location_id", "name"), "to_location": ("location_id", "name"),
    "parent": ("category_id", "location_id"), "category": ("category_id",),
    "subject": ("item_id", "user_id"), "actor": ("user_id",), "q": ("item_id", "code", "email"),
    "job": ("job_id",), "model": ("model_id",), "user": ("user_id",), "user_id": ("user_id",),
}  # fmt: skip
# Not of a thing: tidied codes of a second factor.
NO_NAMES = {"/api/auth/login", "/api/auth/step-up", "/api/auth/2fa/verify", "/api/auth/2fa/disable"}


@pytest.fixture
async def stranger(world: World) -> Tenant:
    """Another tenant with things of its own, whose administrator proved who he is just now."""
    tenant = await world.new_tenant()
    await fill_own(world.client, tenant)
    return tenant


async def send(
    client: Client, tenant: Tenant, operation: Operation, path: str, **options
) -> httpx.Response:
    if operation.body is not None and "json" not in options:
        options["json"] = operation.example
    is_key = operation.is_for_directories
    headers = await tenant.directory(client) if is_key else tenant.boss.headers
    return await client.request(operation.method, path, headers=headers, **options)


def unknown(value: str) -> str:
    """Return something of the same form that is nobody's."""
    return str(uuid4()) if len(value) == 36 else f"X{uuid4().hex[:8]}"


def named_by(operation: Operation, things: dict[str, str]) -> dict[str, str] | None:
    """Return the victim's values for the parameters of a path; None if one is not known."""
    names = {p: OF_PATH.get(operation.path, p) for p in operation.parameters}
    if not all(name in things for name in names.values()):
        return None
    return {parameter: things[name] for parameter, name in names.items()}


@pytest.mark.asvs("D02")
async def test_every_path_that_names_a_thing(attempts, client, filled, document, stranger):
    world = filled
    naming = [o for o in document.operations if o.parameters and o.path not in OF_NOBODY]
    things = world.victim.things

    with attempts.of("crossing tenants: paths of every operation") as attack:
        for operation in naming:
            values = named_by(operation, things)
            attack.note(values, f"{operation.name}: let world.py make one of these for the victim")
            if values is not None:
                await cross(attack, client, stranger, operation, values)
    with attempts.of("crossing tenants: the things are there, and stay") as attack:
        found: dict[tuple[str, ...], list[httpx.Response]] = {}
        for operation in naming:
            values = named_by(operation, things)
            if operation.method == "GET" and values and "tenant_id" not in values:
                own = await send(client, world.victim, operation, operation.at(values))
                found.setdefault(tuple(values.values()), []).append(own)
        for answers in found.values():
            there = any(answer.is_success for answer in answers)
            attack.note(there, " ".join(map(shown, answers)))


async def cross(
    attack: Attack, client: Client, tenant: Tenant, operation: Operation, values: dict[str, str]
) -> None:
    """Ask for the victim's, and for what nobody has: the answers must be one and the same."""
    nobodys = {name: unknown(value) for name, value in values.items()}
    theirs = await send(client, tenant, operation, operation.at(values))
    none = await send(client, tenant, operation, operation.at(nobodys))

    same = without(theirs, *values.values()) == without(none, *nobodys.values())
    refused = theirs.status_code in {403, 404}
    attack.note(same and refused, f"{shown(theirs)} beside {shown(none)}")


def references(document: Document) -> Iterator[tuple[Operation, str, bool]]:
    """Each field of a body, or parameter of a query, that names a thing; whether it is a list."""
    for operation in document.operations:
        if operation.path in NO_NAMES or operation.is_public:
            continue
        fields = dict((operation.body or {}).get("properties", {}))
        if operation.method in {"POST", "PUT", "PATCH"}:
            fields.pop("code", None)  # That of the thing itself.
        for name in NAMING.keys() & {*fields, *operation.queries}:
            schema = document.resolved(fields[name]) if name in fields else {}
            yield operation, name, schema.get("type") == "array"


@pytest.mark.asvs("D02")
async def test_every_body_and_query_that_names_a_thing(
    attempts, client, filled, document, stranger
):
    world = filled
    things = world.victim.things
    with attempts.of("crossing tenants: ids in bodies and queries") as attack:
        for operation, name, is_list in references(document):
            for kind in NAMING[name]:
                value, other = things[kind], unknown(things[kind])
                sent = [[each] if is_list else each for each in (value, other)]
                theirs = await refer(client, stranger, operation, name, sent[0])
                none = await refer(client, stranger, operation, name, sent[1])
                same = without(theirs, value) == without(none, other)
                held = same and theirs.status_code < 500
                attack.note(held, f"{name}: {shown(theirs)} beside {shown(none)}")


async def refer(
    client: Client, tenant: Tenant, operation: Operation, name: str, sent: object
) -> httpx.Response:
    """Send an operation on the caller's own things in which one field names this."""
    own, headers = tenant.things, tenant.boss.headers
    path = operation.at({p: own.get(p, str(uuid4())) for p in operation.parameters})
    if operation.body is None or name in operation.queries:
        return await client.request(operation.method, path, params={name: sent}, headers=headers)
    body = {**operation.example, name: sent}
    for field in body.keys() & {"item", "location", "item_code"} - {name}:
        body[field] = own[NAMING[field][0]]
    return await client.request(operation.method, path, json=body, headers=headers)


async def test_lists_show_nothing_of_another_tenant(attempts, client, filled, document):
    world = filled
    theirs = {value for name, value in world.victim.things.items() if name != "tenant_id"}

    with attempts.of("crossing tenants: lists and reports") as attack:
        for operation in document.operations:
            if operation.method == "GET" and not operation.parameters and not operation.is_public:
                answer = await send(client, world.attacker, operation, operation.path)
                seen = [value for value in theirs if json.dumps(value) in answer.text]
                attack.note(not seen and answer.status_code < 500, f"{shown(answer)} {seen}")


@pytest.mark.asvs("D02")
async def test_a_directory_reaches_its_own_people_alone(attempts, client, filled, stranger):
    """Whose key names people of another tenant, in a filter or as members of a group."""
    things, base = filled.victim.things, "/api/scim/v2"
    own, other = things["user_id"], unknown(things["user_id"])
    headers = await stranger.directory(client)
    with attempts.of("crossing tenants: directories") as attack:
        for name, value in (("userName", things["email"]), ("id", things["user_id"])):
            answers = [
                await client.get(
                    f"{base}/Users", params={"filter": f'{name} eq "{each}"'}, headers=headers
                )
                for each in (value, unknown(value))
            ]
            same = without(answers[0], value) == without(answers[1])
            attack.note(same and things["user_id"] not in answers[0].text, shown(answers[0]))
        for group in ("viewer", "clerk"):
            for method, wrap in (("PUT", whole), ("PATCH", added)):
                answers = [
                    await client.request(
                        method, f"{base}/Groups/{group}", json=wrap(group, each), headers=headers
                    )
                    for each in (own, other)
                ]
                first, second = without(answers[0], own), without(answers[1], other)
                attack.note(first == second, " beside ".join(map(shown, answers)))
        victim = f"/api/users/{things['user_id']}"
        theirs = await client.get(victim, headers=filled.victim.boss.headers)
        attack.note(theirs.json()["role"] == "clerk", theirs.text)


def whole(group: str, member: str) -> dict[str, object]:
    return {"displayName": group, "members": [{"value": member}]}


def added(_group: str, member: str) -> dict[str, object]:
    change = {"op": "add", "path": "members", "value": [{"value": member}]}
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [change]}
