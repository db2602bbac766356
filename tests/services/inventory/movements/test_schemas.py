from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.inventory.ledger.rules import LINES_MAX
from services.inventory.movements.schemas import BulkCreate, LineFault, MovementCreate

RECEIPT = {"kind": "receipt", "item": "A1", "location": "Main", "quantity": "12"}
TRANSFER = RECEIPT | {"kind": "transfer", "to_location": "Shop"}
ADJUSTMENT = RECEIPT | {"kind": "adjustment", "direction": "out", "reason": "damaged"}
WRITE_OFF = RECEIPT | {"kind": "write_off", "reason_code": "lost"}
COUNT = RECEIPT | {"kind": "count_correction"}


def codes_of(body: object, kind: type = MovementCreate) -> set[str]:
    with pytest.raises(ValidationError) as caught:
        kind.model_validate(body)
    return {error["type"] for error in caught.value.errors()}


@pytest.mark.parametrize(
    "body",
    [
        RECEIPT,
        RECEIPT | {"kind": "issue"},
        RECEIPT | {"unit_cost": "2.500001"},
        TRANSFER,
        ADJUSTMENT,
        ADJUSTMENT | {"direction": "in"},
        ADJUSTMENT | {"reason": None, "reason_code": "misrecorded"},
        RECEIPT | {"kind": "return"},
        RECEIPT | {"kind": "return", "direction": "out", "reason_code": "wrong_item"},
        WRITE_OFF,
        WRITE_OFF | {"reason_code": "other", "reason": "mice"},
        COUNT,
        COUNT | {"quantity": 0},
    ],
)
def test_a_movement_as_it_should_be_is_accepted(body):
    assert MovementCreate.model_validate(body).quantity == Decimal(body["quantity"])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (RECEIPT | {"quantity": 0}, "greater_than"),
        (TRANSFER | {"quantity": "0.0000"}, "greater_than"),
        (RECEIPT | {"quantity": -1}, "greater_than"),
        (COUNT | {"quantity": "-0.0001"}, "greater_than_equal"),
        (RECEIPT | {"quantity": "1.00001"}, "decimal_max_places"),
        (RECEIPT | {"quantity": "1e400"}, "decimal_parsing"),
        (RECEIPT | {"quantity": "NaN"}, "decimal_parsing"),
        (RECEIPT | {"quantity": "twelve"}, "decimal_parsing"),
        (RECEIPT | {"kind": "theft"}, "enum"),
        (RECEIPT | {"kind": "reversal"}, "kind_of_reversal"),
        (RECEIPT | {"to_location": "Shop"}, "to_location_of_transfer"),
        (RECEIPT | {"kind": "transfer"}, "to_location_of_transfer"),
        (TRANSFER | {"to_location": "Main"}, "transfer_in_place"),
        (TRANSFER | {"to_location": "  Main "}, "transfer_in_place"),
        (RECEIPT | {"direction": "in"}, "direction_of_adjustment"),
        (ADJUSTMENT | {"direction": None}, "direction_of_adjustment"),
        (ADJUSTMENT | {"reason": None}, "reason_needed"),
        (ADJUSTMENT | {"reason": "  "}, "string_too_short"),
        (ADJUSTMENT | {"reason": None, "reason_code": "other"}, "reason_needed"),
        (ADJUSTMENT | {"reason_code": "wrong_item"}, "reason_code_of_kind"),
        (WRITE_OFF | {"reason_code": None}, "reason_code_needed"),
        (WRITE_OFF | {"reason_code": "other"}, "reason_needed"),
        (WRITE_OFF | {"reason_code": "found"}, "reason_code_of_kind"),
        (WRITE_OFF | {"reason_code": "bored"}, "enum"),
        (WRITE_OFF | {"direction": "in"}, "direction_of_adjustment"),
        (RECEIPT | {"reason_code": "lost"}, "reason_code_of_kind"),
        (COUNT | {"unit_cost": 1}, "unit_cost_of_receipt"),
        (RECEIPT | {"unit_cost": "-1"}, "greater_than_equal"),
        (RECEIPT | {"unit_cost": "0.0000001"}, "decimal_max_places"),
        (RECEIPT | {"occurred_at": "2026-01-31T12:00:00"}, "timezone_aware"),
        (RECEIPT | {"occurred_at": "yesterday"}, "datetime_parsing"),
        (RECEIPT | {"item": ""}, "string_too_short"),
        (RECEIPT | {"item": "x" * 201}, "string_too_long"),
        (RECEIPT | {"item": "a\nb"}, "string_pattern_mismatch"),
        (RECEIPT | {"reference": "a\x00b"}, "control_characters"),
        (RECEIPT | {"surprise": 1}, "extra_forbidden"),
        ([RECEIPT], "model_type"),
    ],
)
def test_what_does_not_fit_is_named(body, code):
    assert code in codes_of(body)


@pytest.mark.parametrize("name", ["kind", "item", "location", "quantity"])
def test_what_is_needed_must_be_given(name):
    assert codes_of({key: value for key, value in RECEIPT.items() if key != name}) == {"missing"}


def test_text_is_trimmed_and_composed():
    movement = MovementCreate.model_validate(RECEIPT | {"location": "  Entrepo\u0302t "})

    assert movement.location == "Entrep\u00f4t"


def test_a_moment_keeps_its_instant():
    body = RECEIPT | {"occurred_at": "2026-01-31T12:00:00+02:00"}

    assert MovementCreate.model_validate(body).occurred_at == datetime(2026, 1, 31, 10, tzinfo=UTC)


@given(st.decimals(min_value="0.0001", max_value="99999999999999.9999", places=4))
def test_any_quantity_of_the_ledger_is_taken_exactly(quantity):
    body = RECEIPT | {"quantity": str(quantity)}

    assert MovementCreate.model_validate(body).quantity == quantity


@given(st.dictionaries(st.sampled_from(sorted(ADJUSTMENT)), st.none() | st.text()))
def test_garbage_is_refused_and_never_fails_otherwise(changes):
    with suppress(ValidationError):
        assert MovementCreate.model_validate(RECEIPT | changes).quantity > 0


def test_a_bulk_call_has_one_to_ten_thousand_lines():
    assert codes_of({"lines": []}, BulkCreate) == {"too_short"}
    assert codes_of({"lines": [RECEIPT] * (LINES_MAX + 1)}, BulkCreate) == {"too_long"}
    assert len(BulkCreate.model_validate({"lines": [RECEIPT] * 3}).lines) == 3


def test_a_bulk_call_is_atomic_unless_said_otherwise():
    assert BulkCreate.model_validate({"lines": [RECEIPT]}).mode == "atomic"
    assert codes_of({"lines": [RECEIPT], "mode": "some"}, BulkCreate) == {"literal_error"}


@pytest.mark.parametrize(
    ("body", "change"),
    [
        (RECEIPT, 12),
        (RECEIPT | {"kind": "issue"}, -12),
        (TRANSFER, -12),
        (ADJUSTMENT, -12),
        (ADJUSTMENT | {"direction": "in"}, 12),
        (COUNT, None),
    ],
)
def test_each_kind_has_its_sign(body, change):
    assert MovementCreate.model_validate(body).change == change


def test_in_mode_each_a_line_that_is_no_movement_is_kept_with_what_is_wrong():
    crowded = RECEIPT | {f"surprise-{number}": 1 for number in range(40)}
    body = {"lines": [RECEIPT, RECEIPT | {"quantity": 0}, 7, crowded], "mode": "each"}

    read = BulkCreate.model_validate(body).read_lines

    assert [type(line) for line in read] == [MovementCreate, LineFault, LineFault, LineFault]
    assert [fault["loc"] for fault in read[3].errors] == [("surprise-0",)]
    assert read[1].errors[0]["type"] == "greater_than"
