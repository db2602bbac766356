"""What a legal hold keeps: its tenant's, of its kind, in its time."""

from datetime import date
from uuid import UUID, uuid4

import pytest

from shared.journal.holds import ActiveHold, find_hold

TENANT, OTHER = uuid4(), uuid4()
MONTH = date(2019, 2, 1)


def hold(
    kind: str | None = None,
    first: date | None = None,
    last: date | None = None,
    tenant: UUID = TENANT,
) -> ActiveHold:
    return ActiveHold(id=uuid4(), tenant_id=tenant, kind=kind, first_day=first, last_day=last)


def is_held(one: ActiveHold, service: str = "auth") -> bool:
    return find_hold([one], service, MONTH, {str(TENANT), str(uuid4())}) is one


@pytest.mark.parametrize(
    ("first", "last", "held"),
    [
        (None, None, True),
        (date(2019, 2, 28), None, True),
        (date(2019, 3, 1), None, False),
        (None, date(2019, 2, 1), True),
        (None, date(2019, 1, 31), False),
        (date(2019, 2, 10), date(2019, 2, 11), True),
        (date(2018, 1, 1), date(2020, 1, 1), True),
    ],
)
def test_a_hold_keeps_every_month_that_it_touches(first, last, held):
    assert is_held(hold(first=first, last=last)) is held


def test_a_hold_keeps_its_own_tenants_entries():
    assert not is_held(hold(tenant=OTHER))


@pytest.mark.parametrize(
    ("kind", "service", "held"),
    [
        (None, "reporting", True),
        ("transactions", "auth", True),
        ("movements", "auth", False),
        ("movements", "inventory", True),
        ("prices", "inventory", True),
        ("prices", "forecasting", False),
    ],
)
def test_movements_and_prices_are_told_in_inventorys_journal(kind, service, held):
    assert is_held(hold(kind), service) is held
