import base64
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import uuid4

import pytest

from services.reporting.read_models.rules import UnitCost, cost_of, fold, read_entries
from shared.contracts.auth.tenants import TenantCreated
from shared.contracts.inventory.items import ItemSaved
from shared.contracts.inventory.locations import LocationRemoved, LocationSaved
from shared.contracts.inventory.movements import StockMoved
from shared.contracts.inventory.prices import PriceSet

ITEM, PLACE, OTHER_PLACE = uuid4(), uuid4(), uuid4()
SEALED = base64.b64encode(b"sealed").decode()


def item_saved(name="Pasta", **more):
    values = {
        "item_id": ITEM, "code": "A1", "name_en": name, "name_fr": name, "category": None,
        "unit": "each", "pack_size": Decimal(1), "pack_unit": None, "par_level": None,
        "reorder_point": None, "reorder_quantity": None, "lead_time_days": None, "cost_id": None,
        "active": True, "changed": [],
    }  # fmt: skip
    return ItemSaved(**values | more)


def moved(quantity="1", **more):
    values = {
        "movement_id": uuid4(), "leg": 0, "kind": "receipt", "item_id": ITEM, "code": "A1",
        "location_id": PLACE, "location": "Main", "quantity": Decimal(quantity),
        "balance_after": Decimal(0), "cost_id": None, "amount_sealed": None, "reason": None,
        "reference": None, "occurred_at": datetime(2026, 3, 10, 12, tzinfo=UTC),
    }  # fmt: skip
    return StockMoved(**values | more)


def location_saved(name="Main"):
    return LocationSaved(
        location_id=PLACE, location_name=name, type="warehouse", parent_id=None, capacity=None
    )


REMOVED = LocationRemoved(location_id=PLACE, location_name="Main")


def test_the_last_state_of_an_item_counts():
    changes = fold([item_saved("Old"), item_saved("New")])

    assert changes.items[ITEM].name_en == "New"


def test_a_location_removed_is_gone_and_one_saved_again_is_back():
    gone = fold([location_saved(), REMOVED])
    back = fold([REMOVED, location_saved("Again")])

    assert (gone.locations, gone.removed_locations) == ({}, {PLACE})
    assert (back.locations[PLACE].location_name, back.removed_locations) == ("Again", set())


def test_levels_add_up_by_item_and_location():
    changes = fold([moved("10"), moved("-2.5"), moved("2.5", location_id=OTHER_PLACE, leg=1)])

    assert dict(changes.levels) == {
        (ITEM, PLACE): Decimal("7.5"),
        (ITEM, OTHER_PLACE): Decimal("2.5"),
    }


def test_movements_are_counted_by_the_day_they_happened_and_a_transfer_once():
    late = datetime.fromisoformat("2026-03-10T23:30:00-05:00")
    changes = fold(
        [moved(), moved(occurred_at=late), moved(kind="transfer"), moved(kind="transfer", leg=1)]
    )

    assert dict(changes.days) == {
        (date(2026, 3, 10), "receipt"): 1,
        (date(2026, 3, 11), "receipt"): 1,
        (date(2026, 3, 10), "transfer"): 1,
    }


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (PriceSet(price_id=PLACE, item_id=ITEM, kind="cost", amount_sealed=SEALED), True),
        (PriceSet(price_id=PLACE, item_id=ITEM, kind="price", amount_sealed=SEALED), False),
        (moved(cost_id=PLACE, amount_sealed=SEALED), True),
        (moved(cost_id=PLACE), False),
        (item_saved(cost_id=PLACE), False),
    ],
)
def test_costs_come_from_prices_of_that_kind_and_from_movements_that_bring_one(entry, expected):
    found = cost_of(entry)

    assert found == ((PLACE, UnitCost(ITEM, b"sealed")) if expected else None)
    assert bool(fold([entry]).costs) is expected


def test_entries_are_read_as_what_they_are_and_unknown_fields_passed_over():
    tenant = uuid4()
    created = TenantCreated(tenant_id=tenant, slug="a", title="A", language="en", currency="EUR")
    bodies = {
        "auth.tenant-created.v1": created.model_dump(mode="json") | {"added_later": 1},
    }
    entries = [{"type": kind, "data": data} for kind, data in bodies.items()]

    assert read_entries(entries) == [created]


def test_movements_of_a_day_are_counted_and_costs_kept_by_their_id():
    cost_id = uuid4()
    late = datetime(2026, 3, 10, 23, 30, tzinfo=timezone(timedelta(hours=-3)))  # The 11th in UTC.

    changes = fold([
        moved(), moved(), moved(occurred_at=late, cost_id=cost_id, amount_sealed=SEALED),
    ])  # fmt: skip

    assert changes.days == {
        (date(2026, 3, 10), "receipt"): 2,
        (date(2026, 3, 11), "receipt"): 1,
    }
    assert changes.costs == {cost_id: UnitCost(ITEM, b"sealed")}
