"""`python -m deploy.postgres`: the bootstrap as a job, configured by the environment.

SUPERUSER_DATABASE_URL, PG_DATABASE (default stock) and one <ROLE>_PASSWORD per role; each secret
may lie in a file instead, which <NAME>_FILE names.
"""

import asyncio
import os
import sys

import asyncpg

from deploy.postgres.bootstrap import DATABASE, ROLES, bootstrap
from shared.secret_files import SecretFileRefused, read_secrets


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
    try:
        asyncio.run(bootstrap(given["SUPERUSER_DATABASE_URL"], passwords, database=database))
    except (OSError, ValueError, asyncpg.PostgresError) as error:
        return _fail(str(error))
    sys.stdout.write(f"database {database}: roles and schemas are in place\n")
    return 0


def _fail(reason: str) -> int:
    sys.stderr.write(f"bootstrap: {reason}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
