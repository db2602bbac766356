"""The short form of `make torture`: half a minute of it, with what matters most sure to break."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.waiting import PATIENCE_S
from tests.torture.plan import Fault, Plan
from tests.torture.run import play_run
from tests.torture.world import tortured

pytestmark = [pytest.mark.stack, pytest.mark.slow]

SEED = "in every test run"
SECONDS = 38.0
CLIENTS = 16
FAULTS = [
    Fault(2, "lose", "clients", 0.8),
    Fault(4, "kill", "inventory"),
    Fault(8, "cut_commits", "postgres", 0.8),
    Fault(10, "kill", "postgres"),
    Fault(15, "lose_commits", "postgres", 0.8),
    Fault(17, "kill", "valkey"),
    Fault(19, "kill_at_commit", "inventory"),
    Fault(22, "restart", "inventory"),
    Fault(25, "kill", "reporting-worker"),
    Fault(26, "terminate", "postgres"),
    Fault(28, "half_answers", "inventory", 0.6),
    Fault(30, "kill", "gateway"),
    Fault(33, "kill_backend", "postgres"),
]


async def test_nothing_is_lost_or_done_twice_whatever_breaks():
    with TemporaryDirectory(prefix="torture-", ignore_cleanup_errors=True) as folder:
        async with tortured(Path(folder), SEED) as system:
            plan = Plan(SEED, CLIENTS, SECONDS, FAULTS, slack_s=PATIENCE_S)
            report = await play_run(system, "t0", plan, lambda _text: None)

    assert report.violations == []
    assert report.acknowledged > 0
    assert report.faults.total() > 2  # A busy machine takes its time after each.
