"""Examples of answers, made of their schemas."""

import pytest
from pydantic import Field

from shared.schemas import Output, Page
from shared.web.examples import example_of, meaning_of


class PlaceRead(Output):
    """Where something lies."""

    name: str = Field(examples=["Shop"])
    on_hand: str
    parent: str | None = Field(examples=[None])
    steps: int = Field(ge=4)
    left_out: str = "x"


class PlacePage(Page[PlaceRead]): ...


class NamelessRead(Output):
    whatever: str


def document(model: type[Output]) -> tuple[dict[str, object], dict[str, dict[str, object]]]:
    schema = model.model_json_schema(mode="serialization")
    return schema, schema.get("$defs", {})


def test_a_field_has_its_own_example_or_that_of_its_name_or_type():
    assert example_of(*document(PlaceRead)) == {
        "name": "Shop", "on_hand": "144", "parent": None, "steps": 4,
    }  # fmt: skip


def test_what_is_in_a_list_is_shown_once():
    example = example_of(*document(PlacePage))

    assert [place["name"] for place in example["items"]] == ["Shop"]
    assert example["next_cursor"] is None


def test_a_text_that_nobody_knows_needs_an_example():
    with pytest.raises(LookupError, match="whatever has no example"):
        example_of(*document(NamelessRead))


def test_an_answer_is_what_its_model_says_and_a_list_is_a_page():
    assert meaning_of(*document(PlaceRead)) == "Where something lies."
    assert meaning_of(*document(PlacePage)) == Page.__doc__
    with pytest.raises(LookupError):
        meaning_of(*document(NamelessRead))
