from datetime import timedelta

import pytest

from services.auth.backups.rules import state_of
from shared.clock import utc_now
from tests.support.tree import ROOT

NOW = utc_now()
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("made", "failed", "state"),
    [
        (None, None, "none"),
        (None, 1, "failed"),
        (1, None, "made"),
        (26, None, "made"),
        (26.01, None, "late"),
        (2, 1, "failed"),
        (1, 2, "made"),
        (27, 1, "late"),
    ],
)
def test_a_backup_is_late_as_the_alert_has_it_and_a_failure_counts_until_one_is_made(
    made: float | None, failed: float | None, state: str
):
    """Given are the hours since each."""
    last_made, last_failed = (None if ago is None else NOW - HOUR * ago for ago in (made, failed))

    assert state_of(last_made, last_failed, NOW) == state


def test_the_alert_has_the_same_limit():
    alerts = (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text()

    assert "time() - max(backup_last_success_timestamp_seconds > 0) > 26 * 3600" in alerts
