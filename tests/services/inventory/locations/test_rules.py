from decimal import Decimal

import pytest

from services.inventory.locations.rules import LocationType, may_lie_in, utilisation

WAREHOUSE, ZONE, BIN, TRANSIT = LocationType


@pytest.mark.parametrize(
    ("child", "parents"),
    [(WAREHOUSE, {None}), (ZONE, {WAREHOUSE}), (BIN, {WAREHOUSE, ZONE})],
)
def test_a_location_lies_only_in_what_is_larger(child, parents):
    assert {p for p in (None, *LocationType) if may_lie_in(child, p)} == parents


def test_nothing_lies_in_its_own_kind():
    assert not any(may_lie_in(kind, kind) for kind in LocationType)


@pytest.mark.parametrize(
    ("used", "capacity", "percent"),
    [
        ("0", "5", "0.0"),
        ("4.5", "8", "56.3"),
        ("6", "5", "120.0"),
        ("99999999999999.9999", "0.0001", "99999999999999999900.0"),
    ],
)
def test_use_is_a_share_of_the_capacity_in_percent(used, capacity, percent):
    assert str(utilisation(Decimal(used), Decimal(capacity))) == percent


def test_without_a_capacity_there_is_no_share_of_it():
    assert utilisation(Decimal(1), None) is utilisation(None, Decimal(1)) is None
