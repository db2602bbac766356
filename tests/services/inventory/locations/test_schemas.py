import pytest
from pydantic import ValidationError

from services.inventory.locations.schemas import LocationCreate, LocationUpdate

WAREHOUSE = {"name": "Main warehouse", "type": "warehouse"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": "a\u200bb"}, "invisible_characters"),
        ({"name": "0190b6f0-5a3c-7000-8000-2f1c4d5e6f70"}, "looks_like_an_id"),
        ({"name": ""}, "string_too_short"),
        ({"name": "x" * 101}, "string_too_long"),
        ({"name": "a\x1bb"}, "control_characters"),
        ({"type": "shed"}, "enum"),
        ({"capacity": 0}, "greater_than"),
        ({"parent": 7}, "string_type"),
        ({"surprise": 1}, "extra_forbidden"),
    ],
)
def test_what_does_not_fit_is_named(change, code):
    with pytest.raises(ValidationError) as caught:
        LocationCreate.model_validate(WAREHOUSE | change)

    assert code in {error["type"] for error in caught.value.errors()}


@pytest.mark.parametrize("name", ["Entrepôt n° 2", "Hall A/B", "50 % #3?"])
def test_a_name_may_hold_spaces_accents_and_signs(name):
    assert LocationCreate.model_validate(WAREHOUSE | {"name": f" {name} "}).name == name


def test_a_location_keeps_a_name_but_may_lose_its_capacity():
    assert LocationUpdate.model_validate({"capacity": None}).model_fields_set == {"capacity"}
    with pytest.raises(ValidationError):
        LocationUpdate.model_validate({"name": None})
