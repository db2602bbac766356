from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.auth.keys.rules import (
    ACCESS_TTL_MAX,
    NOTICE,
    end_of_earlier,
    is_rotation_due,
    signing_key,
)
from services.auth.settings import Settings

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class One:
    added_at: datetime
    signs_from: datetime


def test_the_newest_that_signs_already_signs():
    old = One(NOW - 90 * DAY, NOW - 90 * DAY)
    new = One(NOW, NOW + NOTICE)

    assert signing_key([old, new], NOW) == old
    assert signing_key([old, new], NOW + NOTICE) == new
    assert signing_key([new], NOW) == new
    assert signing_key([], NOW) is None


def test_a_key_is_over_when_no_token_of_it_can_be_good():
    assert end_of_earlier(NOW) > NOW + ACCESS_TTL_MAX
    [limit] = [m.le for m in Settings.model_fields["jwt_access_ttl"].metadata if hasattr(m, "le")]
    assert timedelta(seconds=limit) == ACCESS_TTL_MAX


def test_rotation_is_due_at_its_age_and_never_with_no_days():
    assert is_rotation_due(NOW - 90 * DAY, NOW, days=90)
    assert not is_rotation_due(NOW - 90 * DAY + timedelta(seconds=1), NOW, days=90)
    assert not is_rotation_due(NOW - 9000 * DAY, NOW, days=0)
