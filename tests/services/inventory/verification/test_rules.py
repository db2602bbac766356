import json
from uuid import UUID

import pytest

from services.inventory.verification.rules import is_readable

MOVED, SET = "inventory.stock-moved.v1", "inventory.price-set.v1"
ENTRY = {
    "movement_id": str(UUID(int=1)), "item_id": str(UUID(int=2)), "location_id": str(UUID(int=3)),
    "code": "A1", "location": "Main", "kind": "receipt", "quantity": "1.5",
    "balance_after": "-0.25",
    "occurred_at": "2026-11-27T12:00:00Z", "leg": 0, "reason": None, "reference": None,
    "cost_id": str(UUID(int=4)), "amount_sealed": "eHg=",
}  # fmt: skip


def test_an_entry_that_says_what_it_must_is_readable():
    assert is_readable(MOVED, json.dumps(ENTRY))
    assert is_readable(MOVED, json.dumps(ENTRY | {"cost_id": None}))


@pytest.mark.parametrize(
    "name", ["movement_id", "item_id", "location_id", "cost_id", "lot_id", "reverses", "part_of"]
)
@pytest.mark.parametrize("value", ["x", UUID(int=10).hex, "{" + str(UUID(int=1)) + "}"])
def test_an_id_has_its_one_form(name: str, value: str):
    assert not is_readable(MOVED, json.dumps(ENTRY | {name: value}))


@pytest.mark.parametrize("name", ["quantity", "balance_after"])
@pytest.mark.parametrize("value", ["1e3", "", "1.", ".5", "+1", "NaN", " 1", 1.5, 2, None])
def test_a_number_has_its_one_form(name: str, value: object):
    assert not is_readable(MOVED, json.dumps(ENTRY | {name: value}))


@pytest.mark.parametrize(
    ("reason", "readable"), [("\x00", False), ("\\\x00", False), (r"\u0000", True)]
)
def test_no_text_has_a_character_that_a_database_cannot_hold(reason, readable):
    assert is_readable(MOVED, json.dumps(ENTRY | {"reason": reason})) is readable


@pytest.mark.parametrize("data", ["{}", "[]", "1", "", "{", "null"])
def test_what_is_no_movement_is_not_readable(data: str):
    assert not is_readable(MOVED, data)


PRICE = {
    "price_id": str(UUID(int=1)), "item_id": str(UUID(int=2)), "kind": "cost",
    "amount_sealed": "eHg=",
}  # fmt: skip


def test_an_entry_of_a_price_is_readable():
    assert is_readable(SET, json.dumps(PRICE))


@pytest.mark.parametrize(
    ("name", "value"),
    [("price_id", "x"), ("item_id", UUID(int=10).hex), ("amount_sealed", "x"), ("kind", "rent")],
)
def test_an_entry_of_a_price_has_its_one_form(name: str, value: str):
    assert not is_readable(SET, json.dumps(PRICE | {name: value}))


def test_an_amount_that_is_no_base64_is_not_readable():
    assert not is_readable(MOVED, json.dumps(ENTRY | {"amount_sealed": "x"}))
