from datetime import UTC, datetime, timedelta

from services.auth.revocations.rules import relevant_since

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_revocations_are_told_longer_than_an_access_token_lives():
    assert relevant_since(NOW, access_ttl_s=900) < NOW - timedelta(seconds=900)
