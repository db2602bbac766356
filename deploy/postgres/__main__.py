"""`python -m deploy.postgres`: the bootstrap as a job, configured by the environment.

SUPERUSER_DATABASE_URL, PG_DATABASE (default stock) and one <ROLE>_PASSWORD per role; each secret
may lie in a file instead, which <NAME>_FILE names. PG_SSL and its like hold here too.
"""

import asyncio
import os
import sys

import asyncpg

from deploy.postgres.bootstrap import DATABASE, ROLES, bootstrap
from deploy.postgres.settings import BootstrapSettings
from shared.secret_files import SecretFileRefused, read_secrets
from shared.settings import load_settings
from shared.tls import client_context


def main() -> int:
    required = ["SUPERUSER_DATABASE_URL", *(f"{role.upper()}_PASSWORD" for role in ROLES)]
    try:
        given = {**os.environ, **read_secrets(os.environ, required)}
    except SecretFileRefused as error:
        return _fail(str(error))
    missing = [name for name in required if not given.get(name)]
    if missing:
        return _fail(f"not set: {', '.join(missing)}")
    passwords = {role: given[f"{role.upper()}_PASSWORD"] for role in ROLES}
    database = given.get("PG_DATABASE", DATABASE)
    settings = load_settings(BootstrapSettings)
    dsn, files = settings.superuser_database_url.get_secret_value(), settings.postgres_tls
    secured = client_context(files) if files else None
    try:
        asyncio.run(bootstrap(dsn, passwords, database=database, secured=secured))
    except (OSError, ValueError, asyncpg.PostgresError) as error:
        return _fail(str(error))
    sys.stdout.write(f"database {database}: roles and schemas are in place\n")
    return 0


def _fail(reason: str) -> int:
    sys.stderr.write(f"bootstrap: {reason}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
