import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from services.auth.app import create_app
from shared.journal import checkpoint, verification
from tests.services.auth.people import PASSWORD, SignedIn
from tests.support.database import Databases

pytestmark = pytest.mark.stack


async def test_is_ready_after_migration(client: httpx.AsyncClient):
    response = await client.get("/health/ready")

    assert response.status_code == 200, response.text


async def test_describes_itself_without_settings():
    document = create_app(None).openapi()

    assert "/api/auth/login" in document["paths"]
    assert not [path for path in document["paths"] if path.startswith("/internal")]


async def test_no_answer_describes_a_password_or_hash():
    schemas = create_app(None).openapi()["components"]["schemas"]

    answers = {name: schema for name, schema in schemas.items() if name.endswith("Read")}
    assert len(answers) > 5
    told = {field for schema in answers.values() for field in schema["properties"]}
    assert {field for field in told if "password" in field} == {"password_change_required"}
    assert not {field for field in told if "hash" in field}


async def test_nothing_personal_is_readable_in_the_database(
    client: httpx.AsyncClient, boss: SignedIn, databases: Databases
):
    body = {
        "email": "unmistakable.person@example.com",
        "name": "Unmistakable Person",
        "password": PASSWORD,
        "role": "clerk",
    }
    made = await client.post(
        "/api/users", json=body, headers=boss.headers(**{"Idempotency-Key": "personal"})
    )
    path = f"/api/users/{made.json()['id']}"
    await client.patch(path, json={"name": "Unmistakable Else"}, headers=boss.headers())
    wrong = {"email": body["email"], "password": "wrong", "tenant": boss.tenant}
    await client.post("/api/auth/login", json=wrong)

    connection = await asyncpg.connect(databases.superuser_dsn)
    tables = await connection.fetch("""
        SELECT relname FROM pg_class
        WHERE relnamespace = 'auth'::regnamespace AND relkind IN ('r', 'p')""")
    rows = [
        str(row["line"])
        for table in tables
        for row in await connection.fetch(f"SELECT t::text AS line FROM auth.{table[0]} t")  # noqa: S608 - names from the catalogue.
    ]
    await connection.close()
    assert made.status_code == 201
    assert any(made.json()["id"] in row for row in rows)
    spellings = [
        spelling for text in ("unmistakable", PASSWORD) for spelling in (text, text.encode().hex())
    ]
    assert not [row for row in rows if any(s in row.casefold() for s in spellings)]


async def test_the_journal_of_all_this_verifies(client: httpx.AsyncClient, app: FastAPI):
    resources = app.state.resources

    await checkpoint.seal(resources.database, resources.signing_key)
    found = await verification.verify(resources.database, resources.signing_key)

    assert found.ok, found
    assert found.entries > 0
