from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from services.auth.device_recovery.rules import is_settled, needs_platform, object_to

USER, ONE, OTHER = uuid4(), uuid4(), uuid4()


@pytest.mark.parametrize(
    ("requested_by", "caller", "objection"),
    [
        (None, ONE, None),
        (None, USER, "own"),
        (ONE, OTHER, None),
        (ONE, ONE, "same_person"),
        (ONE, USER, "own"),
    ],
)
def test_two_people_are_needed_of_whom_the_user_is_neither(requested_by, caller, objection):
    assert object_to(user_id=USER, requested_by=requested_by, caller_id=caller) == objection


@pytest.mark.parametrize(("others", "needed"), [(0, True), (1, True), (2, False), (9, False)])
def test_the_platform_helps_where_there_are_not_two_others(others, needed):
    assert needs_platform(others_administering=others) is needed


@pytest.mark.parametrize(
    ("days", "tenant_days", "settled"),
    [(0, 30, False), (6, 30, False), (7, 30, True), (0, 6, True), (0, 7, False)],
)
def test_an_administrator_counts_after_some_days_or_where_the_tenant_is_younger(
    days, tenant_days, settled
):
    now = datetime(2026, 1, 31, tzinfo=UTC)
    since, tenant_since = now - timedelta(days=days), now - timedelta(days=tenant_days)

    assert is_settled(since, tenant_since=tenant_since, now=now, days=7) is settled
