"""Two administrators are two people: a second account made for it has no part."""

import asyncpg
import pytest

from services.auth.device_recovery.errors import AdministratorTooNew
from tests.services.auth.device_recovery.test_routes import approve, ask, enrol
from tests.services.auth.people import SignedIn, SignIn
from tests.support.database import Databases
from tests.support.services import assert_problem

pytestmark = [pytest.mark.stack, pytest.mark.asvs("B10")]


@pytest.fixture
async def ada(make_user: SignIn, boss: SignedIn, databases: Databases) -> SignedIn:
    """A clerk with a second factor, in a tenant that is a month old."""
    ada = await make_user()
    await enrol(ada)
    connection = await asyncpg.connect(databases.superuser_dsn)
    for statement in (
        "UPDATE auth.tenants SET created_at = now() - interval '30 days' WHERE slug = $1",
        """UPDATE auth.users SET created_at = now() - interval '30 days',
            verified_at = now() - interval '30 days', approved_at = now() - interval '30 days'
        WHERE tenant_id = (SELECT id FROM auth.tenants WHERE slug = $1)""",
    ):
        await connection.execute(statement, boss.tenant)
    await connection.close()
    return ada


async def promoted(make_user: SignIn, boss: SignedIn, databases: Databases) -> SignedIn:
    """Return who was there for long, and is an administrator since just now."""
    clerk = await make_user("clerk@example.com")
    connection = await asyncpg.connect(databases.superuser_dsn)
    await connection.execute(
        """UPDATE auth.users SET created_at = now() - interval '30 days',
            verified_at = now() - interval '30 days', approved_at = now() - interval '30 days'
        WHERE id = $1""",
        clerk.user["id"],
    )
    await connection.close()
    path = f"/api/users/{clerk.user['id']}"
    answer = await boss.client.patch(path, json={"role": "admin"}, headers=boss.headers())
    assert answer.status_code == 200
    return clerk


async def test_a_new_administrator_approves_nothing(
    ada: SignedIn, boss: SignedIn, make_user: SignIn
):
    second = await make_user("second@example.com", role="admin")
    assert (await ask(boss, ada)).status_code == 201

    assert_problem(await approve(second, ada), AdministratorTooNew)


async def test_nor_is_what_he_asked_for_approved(ada: SignedIn, boss: SignedIn, make_user: SignIn):
    second = await make_user("second@example.com", role="admin")
    assert (await ask(second, ada)).status_code == 201

    assert_problem(await approve(boss, ada), AdministratorTooNew)


async def test_a_promotion_begins_the_days(
    ada: SignedIn, boss: SignedIn, make_user: SignIn, sign_in: SignIn, databases: Databases
):
    clerk = await promoted(make_user, boss, databases)
    second = await sign_in(clerk.email, tenant=boss.tenant)
    assert (await ask(boss, ada)).status_code == 201
    assert_problem(await approve(second, ada), AdministratorTooNew)
    connection = await asyncpg.connect(databases.superuser_dsn)
    await connection.execute(
        "UPDATE auth.users SET role_given_at = now() - interval '8 days' WHERE id = $1",
        clerk.user["id"],
    )
    await connection.close()

    assert (await approve(second, ada)).status_code == 204
