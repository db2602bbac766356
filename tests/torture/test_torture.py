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
SECONDS = 45.0
CLIENTS = 16
FAULTS = [
    Fault(2, "lose", "clients", 0.8),
    Fault(4, "kill", "inventory"),
    Fault(9, "cut_commits", "postgres", 0.8),
    Fault(11, "kill", "postgres"),
    Fault(18, "lose_commits", "postgres", 0.8),
    Fault(20, "kill", "valkey"),
    Fault(22, "kill_at_commit", "inventory"),
    Fault(25, "restart", "inventory"),
    Fault(27, "kill", "reporting-worker"),
    Fault(28, "terminate", "postgres"),
    Fault(30, "half_answers", "inventory", 0.6),
    Fault(32, "kill", "gateway"),
    Fault(36, "kill_backend", "postgres"),
]


async def test_nothing_is_lost_or_done_twice_whatever_breaks():
    with TemporaryDirectory(prefix="torture-", ignore_cleanup_errors=True) as folder:
        async with tortured(Path(folder), SEED) as system:
            plan = Plan(SEED, CLIENTS, SECONDS, FAULTS, slack_s=PATIENCE_S)
            report = await play_run(system, "t0", plan, lambda _text: None)

    assert report.violations == []
    assert report.acknowledged > 0
    assert report.faults.total() > 2  # A busy machine takes its time after each.
