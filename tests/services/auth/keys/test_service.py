"""Keys that change while tokens are made and verified."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import asyncpg
import pytest

from services.auth import commands
from services.auth.commands import COMMANDS
from services.auth.keys import service as keys
from services.auth.keys.rules import NOTICE, end_of_earlier
from services.auth.keys.service import KeyRing
from services.auth.settings import Settings
from services.auth.vault import Vault
from shared.clock import utc_now
from shared.contracts.auth.tenants import DEFAULT_TENANT_ID
from shared.db import Database, Stamp
from shared.ids import new_id
from shared.resealing import Resealed
from shared.security.claims import InvalidToken, ServiceClaims
from shared.security.tokens import TokenVerifier, new_private_key
from tests.support.database import Databases

pytestmark = [pytest.mark.stack, pytest.mark.asvs("C16")]

LATER = timedelta(seconds=1)


class Installation:
    """Two processes of auth, each with its own ring, on tables of their own."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self.database = database
        self.sealer = vault.sealer
        pem = new_private_key()
        self.rings = [KeyRing(pem), KeyRing(pem)]
        self.verifiers = [TokenVerifier(ring, ServiceClaims) for ring in self.rings]
        self.now = utc_now()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Any]:
        async with self.database.transaction(Stamp(DEFAULT_TENANT_ID, "test")) as session:
            yield session

    async def look(self) -> None:
        """Let both processes look at the table."""
        for ring in self.rings:
            async with self.session() as session:
                await keys.renew(session, ring, sealer=self.sealer, now=self.now)

    async def rotate(self, **how: bool) -> str:
        self.now += LATER
        async with self.session() as session:
            return await keys.rotate(session, sealer=self.sealer, now=self.now, **how)

    def token(self, ring: int = 0) -> str:
        issued_at = int(utc_now().timestamp())
        claims = ServiceClaims(
            sub="reporting",
            target="inventory",
            jti=new_id(),
            iat=issued_at,
            exp=issued_at + 300,
            scopes=frozenset(),
        )
        return self.rings[ring].sign(claims)


@pytest.fixture
async def installation(
    databases: Databases, make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Installation]:
    # The app of the other tests must not go by what these do to the table.
    monkeypatch.setattr("services.auth.key_keeper.keys", SimpleNamespace(renew=AsyncMock()))
    settings = make_settings()
    database = Database.from_settings(settings)
    superuser = await asyncpg.connect(databases.superuser_dsn)
    await superuser.execute("CREATE TEMP TABLE kept AS TABLE auth.signing_keys")
    await superuser.execute("TRUNCATE auth.signing_keys")
    made = Installation(database, Vault.from_settings(settings))
    async with made.session() as session:
        await keys.add_configured(session, made.rings[0], sealer=made.sealer, now=made.now)
    await made.look()
    yield made
    await superuser.execute("TRUNCATE auth.signing_keys")
    await superuser.execute("INSERT INTO auth.signing_keys TABLE kept")
    await superuser.close()
    await database.close()


async def test_no_token_is_refused_while_keys_change(installation: Installation):
    before = installation.token()
    old = installation.rings[0].kid

    new = await installation.rotate()
    await installation.look()
    published = [key["kid"] for key in installation.rings[1].jwks["keys"]]
    assert (published, installation.rings[0].kid) == ([old, new], old)
    during = installation.token()
    installation.now += NOTICE
    await installation.look()
    after = [installation.token(0), installation.token(1)]

    assert [ring.kid for ring in installation.rings] == [new, new]
    for verifier in installation.verifiers:
        for token in (before, during, *after):
            assert (await verifier.verify(token)).sub == "reporting"


async def test_a_key_is_over_when_its_last_token_is(
    installation: Installation, databases: Databases
):
    before, old = installation.token(), installation.rings[0].kid
    await installation.rotate()
    signs_from = installation.now + NOTICE
    [verifier, _] = installation.verifiers

    installation.now = end_of_earlier(signs_from) - LATER
    await installation.look()
    await verifier.verify(before)
    installation.now = end_of_earlier(signs_from)
    await installation.look()

    with pytest.raises(InvalidToken):
        await verifier.verify(before)
    async with installation.session() as session:
        await keys.rotate_if_due(session, sealer=installation.sealer, days=0, now=installation.now)
    connection = await asyncpg.connect(databases.superuser_dsn)
    gone = await connection.fetch("SELECT kid FROM auth.signing_keys WHERE private_sealed IS NULL")
    await connection.close()
    assert [row["kid"] for row in gone] == [old]


async def test_a_key_that_may_be_known_ends_at_once(installation: Installation):
    before = installation.token()

    new = await installation.rotate(at_once=True)
    await installation.look()

    assert installation.rings[0].kid == new
    for verifier in installation.verifiers:
        with pytest.raises(InvalidToken):
            await verifier.verify(before)
        await verifier.verify(installation.token())


async def test_the_schedule_rotates_once_for_many_workers(installation: Installation):
    async def due(days: int) -> str | None:
        async with installation.session() as session:
            return await keys.rotate_if_due(
                session, sealer=installation.sealer, days=days, now=installation.now
            )

    assert await due(90) is None
    installation.now += timedelta(days=90)
    assert await due(0) is None
    new = await due(90)
    assert new is not None
    assert await due(90) is None


async def test_another_key_in_the_configuration_follows_and_an_old_one_stays_over(
    installation: Installation,
):
    first = installation.rings[0].configured_pem
    second = KeyRing(new_private_key())
    for ring in (second, KeyRing(first)):
        async with installation.session() as session:
            await keys.add_configured(
                session, ring, sealer=installation.sealer, now=installation.now
            )
        installation.now += NOTICE

    await installation.look()

    assert installation.rings[0].kid == second.configured_kid


@pytest.mark.asvs("F03")
async def test_no_private_key_is_readable_in_the_database(
    installation: Installation, databases: Databases
):
    kid = await installation.rotate()
    connection = await asyncpg.connect(databases.superuser_dsn)
    sealed = await connection.fetchval(
        "SELECT private_sealed FROM auth.signing_keys WHERE kid = $1", kid
    )
    await connection.execute(
        "UPDATE auth.signing_keys SET private_sealed = set_byte(private_sealed, 40, "
        "get_byte(private_sealed, 40) # 1) WHERE kid = $1",
        kid,
    )
    await connection.close()
    assert b"PRIVATE" not in sealed

    installation.now += NOTICE
    await installation.look()

    assert installation.rings[0].kid == installation.rings[0].configured_kid


@pytest.mark.parametrize("unreadable", [0, 2])
async def test_an_operator_rotates_by_command(
    app: Any,
    client: Any,
    databases: Databases,
    monkeypatch: pytest.MonkeyPatch,
    unreadable: int,
):
    """A value that no key opens fails it, once all else is done."""

    async def reseal_values(_resources: object) -> Resealed:
        return Resealed(3, unreadable)

    monkeypatch.setattr(commands, "reseal_values", reseal_values)
    told_all = await COMMANDS["rotate-keys"](app.state.resources)

    connection = await asyncpg.connect(databases.superuser_dsn)
    kid = await connection.fetchval("SELECT kid FROM auth.signing_keys ORDER BY added_at DESC")
    told = await connection.fetchval(
        "SELECT data->>'kid' FROM auth.journal WHERE type = 'auth.signing-key-added.v1' "
        "ORDER BY seq DESC"
    )
    # The tests' own verifier knows the configured key alone, so that one must go on signing.
    await connection.execute("DELETE FROM auth.signing_keys WHERE kid = $1", kid)
    await connection.execute("UPDATE auth.signing_keys SET ends_at = NULL")
    await connection.close()
    assert (told_all.is_bad, told_all.content["unreadable"]) == (bool(unreadable), unreadable)
    assert f"Added {kid}:" in told_all.text
    sealed_or_not = "2 values are sealed by a key" if unreadable else "Sealed 3 values"
    assert sealed_or_not in told_all.text
    assert told == kid
