from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inventory.reservations.rules import ReservationStatus, share_out, status_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
amounts = st.decimals(0, 1000, places=4)


@given(amounts, st.lists(amounts, max_size=8))
def test_shares_are_within_what_is_there_and_as_much_as_can_be(wanted, there):
    parts = share_out(wanted, there)

    assert all(0 <= part <= each for part, each in zip(parts, there, strict=True))
    assert sum(parts) == min(wanted, sum(there, Decimal(0)))


@pytest.mark.parametrize(
    ("held", "committed", "expired", "until", "status"),
    [
        (1, 0, 0, 1, ReservationStatus.ACTIVE),
        (1, 4, 0, 0, ReservationStatus.EXPIRED),
        (0, 4, 1, 0, ReservationStatus.EXPIRED),
        (0, 4, 0, 0, ReservationStatus.COMMITTED),
        (0, 0, 0, 1, ReservationStatus.RELEASED),
    ],
)
def test_status(held, committed, expired, until, status):
    found = status_of(
        held=Decimal(held),
        committed=Decimal(committed),
        expired=Decimal(expired),
        expires_at=NOW + timedelta(days=until),
        now=NOW,
    )

    assert found is status
