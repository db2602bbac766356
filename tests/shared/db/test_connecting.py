"""PostgreSQL over TLS, with a real server: who is let in, and whom we believe."""

import asyncio
import secrets
import shutil
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from deploy.postgres.bootstrap import ROLES, SERVICES, bootstrap
from shared.db import Database
from shared.db.connecting import connect
from shared.db.migrate import migrate
from shared.settings import ServiceSettings
from shared.tls import TlsFiles, client_context
from tests.support.certificates import Certificates, Shown
from tests.support.ports import reserved_port
from tests.support.tls_servers import needs_postgres, postgres_with_tls
from tests.support.waiting import eventually

pytestmark = [pytest.mark.stack, needs_postgres]

REFUSED = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
KEY = "0f" * 32


@dataclass(frozen=True)
class Server:
    """The server, whose certificate is for `localhost` and nothing else."""

    port: int
    folder: Path
    certificates: Certificates
    passwords: dict[str, str]

    def dsn(self, role: str, host: str = "localhost", database: str = "stock") -> str:
        return f"postgresql://{role}:{self.passwords[role]}@{host}:{self.port}/{database}"

    def files(self, shown: Shown | None, authority: Path | None = None) -> TlsFiles:
        trusted = authority or self.certificates.authority
        own = (shown.certificate, shown.key) if shown else (None, None)
        return TlsFiles("postgresql", ("PG_CA_CERT", "PG_CLIENT_CERT"), trusted, *own)

    async def try_to_connect(self, files: TlsFiles | None, **where: str) -> None:
        secured = client_context(files) if files else None
        await (await connect(self.dsn("auth_app", **where), secured, timeout=10)).close()

    async def show(self, shown: Shown, superuser: asyncpg.Connection) -> None:
        """Have the server show another certificate from now on."""
        shutil.copyfile(shown.certificate, self.folder / "server" / "server.crt")
        shutil.copyfile(shown.key, self.folder / "server" / "server.key")
        await superuser.execute("SELECT pg_reload_conf()")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("postgres-with-tls")
    certificates = Certificates(folder)
    shown = certificates.make("localhost", hosts=("localhost",))
    passwords = {role: secrets.token_hex(16) for role in ROLES} | {"postgres": "postgres"}
    with (
        reserved_port() as port,
        postgres_with_tls(folder, port, shown, certificates.authority),
    ):
        found = Server(port, folder, certificates, passwords)
        secured = client_context(found.files(certificates.good("postgres")))
        dsn = found.dsn("postgres", database="postgres")
        asyncio.run(bootstrap(dsn, passwords, secured=secured))
        yield found


@pytest.fixture
def good(server) -> TlsFiles:
    return server.files(server.certificates.good("auth_app"))


async def test_whoever_shows_and_sees_the_right_certificate_is_let_in(server, good):
    await server.try_to_connect(good)


@pytest.mark.parametrize("kind", ["good", "of_another_authority", "expired"])
async def test_a_client_is_refused_whose_certificate_is_not_his(server, kind):
    """The good one is another role's."""
    name = "inventory_app" if kind == "good" else "auth_app"

    with pytest.raises(REFUSED):
        await server.try_to_connect(server.files(getattr(server.certificates, kind)(name)))


async def test_a_client_without_a_certificate_is_refused(server):
    with pytest.raises(REFUSED):
        await server.try_to_connect(server.files(None))


async def test_a_client_in_the_clear_is_refused(server):
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="no encryption"):
        await server.try_to_connect(None)


async def test_a_server_is_not_believed_that_another_authority_vouches_for(server):
    files = server.files(
        server.certificates.good("auth_app"), server.certificates.foreign_authority
    )

    with pytest.raises(OSError, match="certificate verify failed"):
        await server.try_to_connect(files)


async def test_a_server_is_not_believed_under_another_name(server, good):
    with pytest.raises(OSError, match="IP address mismatch"):
        await server.try_to_connect(good, host="127.0.0.1")


async def test_a_server_that_offers_no_tls_gets_nothing(server, good):
    """Not even the name of the role."""
    heard = bytearray()

    async def answer_no(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.extend(await reader.read(8))
        writer.write(b"N")
        heard.extend(await reader.read())
        writer.close()

    async with await asyncio.start_server(answer_no, "127.0.0.1", 0) as plain:
        port = plain.sockets[0].getsockname()[1]
        with pytest.raises(ConnectionError, match="rejected SSL upgrade"):
            await connect(f"postgresql://a:b@localhost:{port}/stock", client_context(good))

    assert len(heard) == 8


async def test_a_server_whose_certificate_has_ended_is_not_believed_until_it_shows_a_new_one(
    server, good
):
    files = server.files(server.certificates.good("postgres"))
    where = server.dsn("postgres", database="postgres")
    superuser = await connect(where, client_context(files))

    async def is_refused() -> bool:
        try:
            await server.try_to_connect(good)
        except OSError as error:
            return "certificate has expired" in str(error)
        return False

    await server.show(server.certificates.expired(), superuser)
    await eventually(is_refused)
    await server.show(server.certificates.make("localhost", hosts=("localhost",)), superuser)

    assert await eventually(lambda: is_accepted(server, good))
    assert await superuser.fetchval("SELECT 1") == 1  # Connections outlive certificates.
    await superuser.close()


async def is_accepted(server: Server, files: TlsFiles) -> bool:
    try:
        await server.try_to_connect(files)
    except OSError:
        return False
    return True


async def test_every_way_of_a_service_to_its_database_is_secured(
    server, good, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    settings = ServiceSettings(
        database_url=server.dsn("auth_app"),
        journal_signing_key=KEY,
        gateway_key=KEY,
        metrics_token=KEY,
        pg_ssl=True,
        pg_ca_cert=good.authority,
        pg_client_cert=good.certificate,
        pg_client_key=good.key,
    )
    database = Database.from_settings(settings, hot_connections=1)

    async with database.engine.connect() as session:
        raw = (await session.get_raw_connection()).driver_connection
        ways = [await raw.fetchval(_IS_SECURED)]
    async with database.hot(uuid4()) as hot:
        ways.append(await hot.fetchval(_IS_SECURED))
    beside = await database.connect()
    ways.append(await beside.fetchval(_IS_SECURED))
    await beside.close()
    await database.close()

    assert ways == [True, True, True]


@pytest.mark.slow
@pytest.mark.parametrize("service", SERVICES)
async def test_every_migration_runs_on_the_oldest_server_that_we_name_and_over_tls(server, service):
    owner = client_context(server.files(server.certificates.good("stock_owner")))
    folder = Path(import_module(f"services.{service}").__path__[0]) / "migrations"

    assert await migrate(service, folder, server.dsn("stock_owner"), owner)


_IS_SECURED = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
