from datetime import date
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError, model_validator

from shared.schemas import Input, Moment, QueryModel, ShortText, Update

LINE = TypeAdapter(ShortText)
MOMENT = TypeAdapter(Moment)


def test_a_moment_is_kept_in_utc():
    assert MOMENT.validate_python("2026-01-31T12:00:00+02:00").isoformat() == (
        "2026-01-31T10:00:00+00:00"
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-01-31T12:00:00", "timezone_aware"),
        ("0001-01-01T00:00:00+14:00", "datetime_out_of_range"),
        ("9999-12-31T23:59:59-14:00", "datetime_out_of_range"),
    ],
)
def test_a_moment_that_is_not_one_is_refused(text, code):
    with pytest.raises(ValidationError) as refused:
        MOMENT.validate_python(text)

    assert [error["type"] for error in refused.value.errors()] == [code]


@pytest.mark.parametrize(
    "text", ["20261120", "1732060800", 1732060800, 1.5, "2026-11-20 12:00:00Z"]
)
def test_what_may_be_many_times_is_none(text):
    with pytest.raises(ValidationError) as refused:
        MOMENT.validate_python(text)

    assert [error["type"] for error in refused.value.errors()] == ["datetime_parsing"]


@pytest.mark.parametrize(
    "hiding",
    ["\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\u00ad", "\u2028", "\u3164", "\U000e0041"],
)
def test_a_name_shows_all_that_is_in_it(hiding):
    with pytest.raises(ValidationError) as refused:
        LINE.validate_python(f"Ada{hiding}ecila")

    assert [error["type"] for error in refused.value.errors()] == ["invisible_characters"]


@pytest.mark.parametrize(
    "name", ["Caf\u00e9\u00a0: le\u202fbar", "\u26a0\ufe0f Fragile", "\u5c71\u7530"]
)
def test_a_name_may_have_any_letters_signs_and_spaces(name):
    assert LINE.validate_python(name) == name


def test_a_day_alone_is_its_midnight_in_utc():
    assert MOMENT.validate_python("2026-01-31").isoformat() == "2026-01-31T00:00:00+00:00"


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("1970-01-01T00:00:00Z", True),
        ("1969-12-31T23:59:59Z", False),
        ("1970-01-01T00:00:00+00:01", False),
        ("2099-12-31T23:59:59Z", True),
        ("2100-01-01T00:00:00Z", False),
        ("2099-12-31T23:59:59-00:01", False),
    ],
)
def test_a_moment_lies_within_the_years_of_business_in_utc(text, fits):
    if fits:
        assert MOMENT.validate_python(text)
    else:
        with pytest.raises(ValidationError):
            MOMENT.validate_python(text)


class Shelf(Input):
    row: int = 1


class Box(Input):
    size: Annotated[int, Field(ge=1)] = 1
    full: bool = False
    packed: date | None = None
    owner: UUID | None = None
    shelves: list[Shelf] = Field(default_factory=list)


def faults(model: type[BaseModel], **values: object) -> list[tuple[str, str]]:
    try:
        model.model_validate(values)
    except ValidationError as error:
        return [(str(one["loc"][-1]), one["type"]) for one in error.errors()]
    return []


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"size": "1"}, ("size", "int_type")),
        ({"size": True}, ("size", "int_type")),
        ({"size": Decimal("1.0")}, ("size", "int_type")),
        ({"size": 0}, ("size", "greater_than_equal")),
        ({"full": 1}, ("full", "bool_type")),
        ({"full": "true"}, ("full", "bool_type")),
        ({"packed": "20260131"}, ("packed", "date_parsing")),
        ({"packed": 1732060800}, ("packed", "date_parsing")),
        ({"packed": "2026-01-31T00:00:00Z"}, ("packed", "date_parsing")),
        ({"packed": "2100-01-01"}, ("packed", "date_out_of_range")),
        ({"owner": "7c9e6679742540de944be07fc1f90ae7"}, ("owner", "uuid_parsing")),
        ({"owner": 7}, ("owner", "uuid_parsing")),
        ({"shelves": [{"row": "1"}]}, ("row", "int_type")),
        ({"colour": "red"}, ("colour", "extra_forbidden")),
    ],
)
def test_a_body_counts_as_what_is_written_in_it(values, fault):
    assert faults(Box, **values) == [fault]


def test_a_body_in_its_forms_is_read():
    box = Box.model_validate(
        {
            "size": 2,
            "full": True,
            "packed": "2026-01-31",
            "owner": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
            "shelves": [{"row": 3}],
        }
    )

    assert (box.size, box.full, box.packed) == (2, True, date(2026, 1, 31))
    assert (str(box.owner), box.shelves[0].row) == ("7c9e6679-7425-40de-944b-e07fc1f90ae7", 3)


class BoxUpdate(Update):
    clearable = frozenset({"label"})

    label: ShortText | None = None
    size: Annotated[int, Field(ge=1)] | None = None
    shelf: Shelf | None = None

    @model_validator(mode="after")
    def _is_small(self) -> Self:
        return self


def test_null_empties_what_may_be_empty_and_nothing_else():
    assert BoxUpdate.model_validate({"label": None}).model_fields_set == {"label"}
    assert faults(BoxUpdate, label=None, size=None, shelf=None) == [
        ("size", "cannot_be_empty"),
        ("shelf", "cannot_be_empty"),
    ]


def test_what_is_left_out_of_a_change_is_left_alone():
    change = BoxUpdate.model_validate({"size": 2})

    assert (change.size, change.label, change.shelf) == (2, None, None)
    assert change.model_fields_set == {"size"}


def test_the_document_of_a_change_says_what_takes_null():
    fields = BoxUpdate.model_json_schema()["properties"]

    assert {"type": "null"} in fields["label"]["anyOf"]
    assert fields["size"] == {"minimum": 1, "title": "Size", "type": "integer"}
    assert fields["shelf"] == {"$ref": "#/$defs/Shelf"}


def test_query_models_know_their_parameters():
    class BoxQuery(QueryModel):
        size: int = 1

    assert faults(BoxQuery, colour="red") == [("colour", "extra_forbidden")]
