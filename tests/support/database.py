"""A PostgreSQL with every service's roles and schema, made once for a test run."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from deploy.local.stack import embedded_postgres
from deploy.postgres.bootstrap import DATABASE, ROLES, SERVICES, bootstrap
from shared.db.migrate import migrate

# Durability is tested where it matters (tests/e2e, with real kills); elsewhere speed counts.
FAST = {"fsync": "off", "full_page_writes": "off", "max_connections": "320"}


class Databases:
    """Where the databases of a test run are, by role."""

    def __init__(
        self, superuser_dsn: str, name: str = DATABASE, passwords: Mapping[str, str] | None = None
    ) -> None:
        self.superuser_dsn = superuser_dsn.replace("/postgres?", f"/{name}?")
        self._bootstrap_dsn = superuser_dsn
        self._name = name
        self._passwords = passwords or {role: secrets.token_hex(16) for role in ROLES}

    def beside(self, name: str) -> "Databases":
        """Return another database of the same server and roles, which is still to be prepared."""
        return Databases(self._bootstrap_dsn, name, self._passwords)

    def password(self, role: str) -> str:
        return self._passwords[role]

    def dsn(self, role: str) -> str:
        password = self._passwords[role]
        return self.superuser_dsn.replace("postgres@", f"{role}:{password}@").replace(
            "postgres:@", f"{role}:{password}@"
        )

    async def bootstrap(self) -> None:
        """Make the roles and empty schemas."""
        await bootstrap(self._bootstrap_dsn, self._passwords, database=self._name)

    async def prepare(self) -> None:
        await self.bootstrap()
        for service in SERVICES:
            folder = Path(import_module(f"services.{service}").__path__[0]) / "migrations"
            if folder.is_dir():
                await migrate(service, folder, self.dsn("stock_owner"))


@contextmanager
def running_database(folder: Path) -> Iterator[str]:
    with embedded_postgres(folder / "pg", FAST) as superuser_dsn:
        yield superuser_dsn
