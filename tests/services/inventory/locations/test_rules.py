import pytest

from services.inventory.locations.rules import LocationType, may_lie_in

WAREHOUSE, ZONE, BIN = LocationType


@pytest.mark.parametrize(
    ("child", "parents"),
    [(WAREHOUSE, {None}), (ZONE, {WAREHOUSE}), (BIN, {WAREHOUSE, ZONE})],
)
def test_a_location_lies_only_in_what_is_larger(child, parents):
    assert {p for p in (None, *LocationType) if may_lie_in(child, p)} == parents


def test_nothing_lies_in_its_own_kind():
    assert not any(may_lie_in(kind, kind) for kind in LocationType)
