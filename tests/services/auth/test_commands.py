"""What an operator does with auth alone; keys are changed in keys/test_service.py."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from services.auth.commands import COMMANDS, COMMANDS_OF_WORDS
from services.auth.resources import open_service
from services.auth.settings import Settings
from tests.services.auth.people import PASSWORD, SignedIn, SignIn, claims_of
from tests.services.auth.post import PostOffice
from tests.support.database import Databases

pytestmark = [pytest.mark.stack, pytest.mark.asvs("B10")]


@pytest.fixture
async def lone(platform_admin: SignedIn, sign_in: SignIn) -> SignedIn:
    """An administrator of the platform, beside the first one alone."""
    body = {"email": "lone@example.com", "password": PASSWORD, "role": "admin"}
    made = await platform_admin.client.post(
        "/api/users",
        json=body | {"password_change_required": False},
        headers=platform_admin.headers(),
    )
    assert made.status_code == 201, made.text
    return await sign_in("lone@example.com")


async def run(make_settings: Callable[..., Settings], email: str) -> str:
    resources = open_service(make_settings(admin_email=email))
    said = await COMMANDS["recover-administrator"](resources)
    await resources.close()
    return said


async def test_the_operator_helps_an_administrator_without_two_others(
    lone: SignedIn,
    make_settings: Callable[..., Settings],
    post: PostOffice,
    databases: Databases,
    platform_admin: SignedIn,
):
    said = await run(make_settings, lone.email)

    assert "no second factor any more" in said
    body: dict[str, Any] = {"email": lone.email, "password": PASSWORD}
    again = await lone.client.post("/api/auth/login", json=body)
    assert again.json()["enrolment_required"] is True
    connection = await asyncpg.connect(databases.superuser_dsn)
    row = await connection.fetchrow(
        "SELECT actor, data FROM auth.journal "
        "WHERE type = 'auth.factor-recovered-by-operator.v1' ORDER BY seq DESC"
    )
    await connection.close()
    assert row is not None
    assert (row["actor"], json.loads(row["data"])["user_id"]) == ("operator", lone.user["id"])
    *_, told = await post.to(lone.email)
    assert "Whoever runs this installation" in told.get_content()
    assert "Nothing was done" in await run(make_settings, lone.email)  # It has none now.
    locked = await lone.client.post(
        f"/api/users/{lone.user['id']}/lock", headers=platform_admin.headers()
    )
    assert locked.status_code == 200  # For the other tests: they count administrators.


async def test_nobody_else_is_helped(make_settings: Callable[..., Settings]):
    assert "Nothing was done" in await run(make_settings, "nobody@example.com")


async def test_who_is_on_the_list_is_erased_again_and_whom_nobody_knows_is_not(
    boss: SignedIn,
    make_user: SignIn,
    make_settings: Callable[..., Settings],
    databases: Databases,
    tmp_path: Path,
):
    ada, bob = await make_user("ada@example.com"), await make_user("bob@example.com")
    tenant_id = claims_of(boss.access_token)["tid"]
    erased = await boss.client.post(f"/api/users/{bob.user['id']}/erase", headers=boss.headers())
    assert erased.status_code == 200
    people = [ada.user["id"], bob.user["id"], str(uuid4())]
    path = tmp_path / "list.jsonl"
    path.write_text(
        "".join(json.dumps({"tenant_id": tenant_id, "user_id": one}) + "\n" for one in people)
    )
    hold = {"reason": "Lifted by then: who was erased, was."}
    await boss.client.post("/api/legal-holds", json=hold, headers=boss.headers())
    resources = open_service(make_settings())

    said = await COMMANDS_OF_WORDS["erase-again"](resources, [str(path)])
    again = await COMMANDS_OF_WORDS["erase-again"](resources, [str(path)])
    await resources.close()

    assert said.startswith("Erased 1 persons again, of 3 on the list")
    assert again.startswith("Erased 0 persons again")
    for person in (ada, bob):
        shown = await boss.client.get(f"/api/users/{person.user['id']}", headers=boss.headers())
        assert (shown.json()["name"], shown.json()["email"]) == ("Erased person", None)
    connection = await asyncpg.connect(databases.superuser_dsn)
    row = await connection.fetchrow(
        "SELECT actor FROM auth.journal WHERE type = 'auth.user-erased.v1' AND subject = $1",
        f"user:{ada.user['id']}",
    )
    await connection.close()
    assert row is not None
    assert row["actor"] == "restore"
