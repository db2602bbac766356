import asyncio
import gc
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import asyncpg
import pytest
from hypothesis import settings
from xdist.remote import Producer

from deploy.local.stack import embedded_valkey
from shared.collector import calm_collector
from shared.log import configure_logging
from shared.security import tokens
from tests.attack.attempts import Attempts
from tests.support.beside import ByFolder
from tests.support.database import Databases, running_database
from tests.support.left_out import left_out
from tests.support.through_gateway import GATEWAY_KEY, METRICS_TOKEN

# Enough to find a fault within a few runs and to keep `make test-fast` fast; a busy machine is no
# fault, so an example has no deadline.
EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "50"))
settings.register_profile("project", max_examples=EXAMPLES, deadline=None)
settings.load_profile("project")


# What is imported stays: the collector would only look through it, again and again.
gc.disable()
# Tests use a few keys in many processes' settings; to parse one takes 40 ms.
tokens._load_private_key = cache(tokens._load_private_key)

SERVERS = {"databases", "valkey_url"}  # Fixtures below.

_runs: Counter[str] = Counter()


def pytest_configure() -> None:
    _runs.clear()
    tokens._load_private_key.cache_clear()  # A mutant of it is to be noticed.
    # As a process logs: structlog's own way shows the locals of every frame, for seconds each time.
    configure_logging("tests", "INFO", "json")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks for a server, however it comes to it."""
    for item in items:
        if SERVERS & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.stack)


def pytest_collection_finish() -> None:
    calm_collector()  # First: it would look through all of it once more.
    gc.enable()


@pytest.hookimpl(optionalhook=True)  # Where xdist runs tests side by side.
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFolder:
    return ByFolder(config, log)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "setup":
        _runs[report.nodeid] += 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was attacked, what was left out, and how often a test was run again.

    Passing then is no passing.
    """
    for line in Attempts.of_run(chain(*terminalreporter.stats.values())).table():
        terminalreporter.write_line(line)
    for line in left_out(terminalreporter.stats.get("skipped", ())):
        terminalreporter.write_line(line)
    repeated = sum(_runs.values()) - len(_runs)
    terminalreporter.write_line(f"repeated: {repeated}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    if any(times > 1 for times in _runs.values()):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """PostgreSQL with all roles and migrated schemas."""
    with running_database(tmp_path_factory.mktemp("database")) as superuser_dsn:
        found = Databases(superuser_dsn)
        asyncio.run(found.prepare())
        yield found


@pytest.fixture
async def superuser(databases: Databases) -> AsyncIterator[asyncpg.Connection]:
    """A connection that no rule of the database holds back."""
    connection = await asyncpg.connect(databases.superuser_dsn)
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded_valkey(Path(tmp_path_factory.mktemp("valkey"))) as url:
        yield url


@pytest.fixture(scope="session")
def service_environment(databases: Databases, valkey_url: str) -> dict[str, str]:
    """What every service's settings need, as keyword arguments; the role's DSN is to be added."""
    return {
        "environment": "test",
        "redis_url": valkey_url,
        "journal_signing_key": "11" * 32,
        "gateway_key": GATEWAY_KEY,
        "metrics_token": METRICS_TOKEN,
    }
