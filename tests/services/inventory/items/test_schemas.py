from decimal import Decimal

import pytest
from pydantic import ValidationError

from services.inventory.items.schemas import ItemCreate, ItemUpdate

ITEM = {"code": "SPAGHETTI-500", "name": "Spaghetti"}


def codes_of(kind: type, body: object) -> set[str]:
    with pytest.raises(ValidationError) as caught:
        kind.model_validate(body)
    return {error["type"] for error in caught.value.errors()}


def test_code_and_name_are_enough():
    item = ItemCreate.model_validate(ITEM)

    assert (item.unit, item.pack_size, item.tracking, item.barcodes) == ("each", 1, "none", [])


def test_a_name_is_text_or_one_text_for_each_language():
    assert ItemCreate.model_validate(ITEM).name.en == "Spaghetti"
    both = ItemCreate.model_validate(ITEM | {"name": {"en": "Pasta", "fr": "Pâtes"}})
    assert (both.name.en, both.name.fr) == ("Pasta", "Pâtes")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": {}}, "name_needed"),
        ({"name": {"en": None, "fr": None}}, "name_needed"),
        ({"name": {"de": "Nudeln"}}, "extra_forbidden"),
        ({"name": ""}, "string_too_short"),
        ({"name": None}, "model_type"),
        ({"code": "a\u200bb"}, "invisible_characters"),
        ({"code": "0190b6f0-5a3c-7000-8000-2f1c4d5e6f70"}, "looks_like_an_id"),
        ({"code": "x" * 65}, "string_too_long"),
        ({"code": "a\u0000"}, "control_characters"),
        ({"barcodes": ["a\ufeffb"]}, "invisible_characters"),
        ({"unit": "u" * 33}, "too_long"),
        ({"pack_size": 0}, "greater_than"),
        ({"par_level": -1}, "greater_than_equal"),
        ({"reorder_quantity": 0}, "greater_than"),
        ({"lead_time_days": 731}, "less_than_equal"),
        ({"lead_time_days": -1}, "greater_than_equal"),
        ({"lead_time_days": 1.5}, "int_type"),
        ({"tracking": "weight"}, "literal_error"),
        ({"barcodes": ["1"] * 21}, "too_long"),
        ({"barcodes": "123"}, "list_type"),
        ({"unit_cost": "-0.01"}, "greater_than_equal"),
        ({"price": "Infinity"}, "decimal_parsing"),
        ({"surprise": 1}, "extra_forbidden"),
    ],
)
def test_what_does_not_fit_is_named(change, code):
    assert code in codes_of(ItemCreate, ITEM | change)


def test_money_is_taken_to_six_places():
    assert ItemCreate.model_validate(ITEM | {"unit_cost": "0.123456"}).unit_cost == Decimal(
        "0.123456"
    )


@pytest.mark.parametrize("code", ["1/2 ELBOW #40", "50% =x?", "a b"])
def test_codes_of_real_catalogues_are_taken(code):
    assert ItemCreate.model_validate(ITEM | {"code": code}).code == code


@pytest.mark.parametrize(
    "name", ["code", "name", "unit", "pack_size", "barcodes", "active", "unit_cost", "price"]
)
def test_an_update_cannot_empty_what_every_item_has(name):
    assert codes_of(ItemUpdate, {name: None}) == {"cannot_be_empty"}


@pytest.mark.parametrize("name", ["category", "par_level", "lead_time_days", "description"])
def test_an_update_can_empty_what_an_item_may_lack(name):
    assert ItemUpdate.model_validate({name: None}).model_fields_set == {name}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_update_cannot_empty_a_name_in_one_language(language):
    other = {"en": "fr", "fr": "en"}[language]

    assert codes_of(ItemUpdate, {"name": {language: None, other: "x"}}) == {"cannot_be_empty"}
    assert codes_of(ItemUpdate, {"name": {language: ""}}) == {"string_too_short"}


def test_a_description_may_be_empty_in_one_language():
    update = ItemUpdate.model_validate({"description": {"fr": ""}})

    assert update.description.model_fields_set == {"fr"}
    assert update.description.fr == ""


def test_an_update_brings_back_but_does_not_retire():
    assert ItemUpdate.model_validate({"active": True}).active is True
    assert codes_of(ItemUpdate, {"active": False}) == {"retire_by_delete"}
    assert codes_of(ItemUpdate, {"active": 1}) == {"bool_type"}
