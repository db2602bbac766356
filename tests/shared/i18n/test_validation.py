from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, get_args
from uuid import UUID

import pytest
from pydantic import AfterValidator, BaseModel, Field, ValidationError
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ErrorType

from shared.i18n import N_, translate
from shared.i18n.validation import COUNTED, FALLBACK, MESSAGES, validation_errors
from shared.money import Quantity
from shared.schemas import Input, Moment, ShortText, Text

# Error types that no field of ours can raise. First those of Python objects, where our input is
# JSON and text; then kinds of values that our API does not have; last the texts of validators,
# where ours raise PydanticCustomError with a marked message instead.
_FOREIGN = """
no_such_attribute json_type needs_python_object frozen_field frozen_instance get_attribute_error
dataclass_exact_type named_tuple_type default_factory_not_called none_required iteration_error
frozen_dict_type ordered_dict_type counter_type deque_type set_item_not_hashable is_instance_of
is_subclass_of callable_type missing_sentinel_error ellipsis_error bytes_type bytes_too_short
bytes_too_long bytes_invalid_encoding arguments_type missing_argument unexpected_keyword_argument
missing_keyword_only_argument unexpected_positional_argument missing_positional_only_argument
multiple_argument_values recursion_loop recursion_depth_exceeded

time_type time_parsing time_delta_type time_delta_parsing fraction_type fraction_parsing
complex_type complex_str_parsing date_past date_future datetime_past datetime_future
timezone_naive timezone_offset

value_error assertion_error
"""
FOREIGN = frozenset(_FOREIGN.split())
# What is found before pydantic sees the value, or beside it.
OURS = {"cannot_be_empty", "given_twice", "too_many_values", "too_many_errors", "date_out_of_range",
        "datetime_out_of_range"}  # fmt: skip


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


def _refuse(value: str) -> str:
    raise PydanticCustomError("shop_closed", N_("An adjustment needs a reason."))


class Everything(Input):
    line: ShortText = "x"
    quantity: Quantity = Decimal(1)
    whole: Annotated[int, Field(ge=1, le=200)] = 1
    truth: bool = True
    colour: Colour = Colour.RED
    word: Literal["a", "b"] = "a"
    id: UUID | None = None
    day: date | None = None
    moment: Moment | None = None
    many: Annotated[list[int], Field(min_length=1, max_length=2)] = Field(default=[1])
    own: Annotated[str, AfterValidator(_refuse)] = ""
    tag: Annotated[Text, Field(min_length=2, max_length=3)] = "abc"


def messages_of(language: str, **values: object) -> list[tuple[str, str, str]]:
    with pytest.raises(ValidationError) as caught:
        Everything.model_validate(values)
    faults = caught.value.errors(include_input=False)  # As bodies are read.
    found, _ = validation_errors([dict(fault) for fault in faults], language)
    return [(error["path"], error["code"], error["message"]) for error in found]


def test_every_error_type_of_pydantic_has_a_message_or_cannot_arise():
    known = set(get_args(ErrorType))

    assert known - MESSAGES.keys() - COUNTED.keys() - FOREIGN == set()
    assert (MESSAGES.keys() | COUNTED.keys()) & FOREIGN == set()
    assert (MESSAGES.keys() | COUNTED.keys()) - known == OURS


@pytest.mark.parametrize("kind", sorted(MESSAGES))
def test_every_message_speaks_french(kind):
    assert translate(MESSAGES[kind], "fr") != MESSAGES[kind]


@pytest.mark.parametrize(
    ("values", "path", "code", "english", "french"),
    [
        ({"line": ""}, "line", "string_too_short", "At least 1 character is needed.",
         "Au moins 1 caractère est nécessaire."),
        ({"line": "x" * 201}, "line", "string_too_long", "At most 200 characters are allowed.",
         "Au plus 200 caractères sont autorisés."),
        ({"quantity": 0}, "quantity", "greater_than", "Give a value greater than 0.",
         "Indiquez une valeur supérieure à 0."),
        ({"quantity": "0.00001"}, "quantity", "decimal_max_places",
         "At most 4 decimal places are allowed.", "Au plus 4 décimales sont autorisées."),
        ({"quantity": "NaN"}, "quantity", "decimal_parsing",
         "Give a decimal number, such as 12.5, without a leading zero.",
         "Indiquez un nombre décimal, par exemple 12.5, sans zéro en tête."),
        ({"whole": 1.5}, "whole", "int_type", "Give a whole number, such as 12.",
         "Indiquez un nombre entier, par exemple 12."),
        ({"day": "1969-12-31"}, "day", "date_out_of_range",
         "Give a date in the years 1970 to 2099.", "Indiquez une date des années 1970 à 2099."),
        ({"truth": "perhaps"}, "truth", "bool_type", "Give true or false.",
         "Indiquez true ou false."),
        ({"colour": "blue"}, "colour", "enum", "Choose one of: 'red', 'green'.",
         "Choisissez parmi\u00a0: 'red', 'green'."),
        ({"word": "c"}, "word", "literal_error", "Choose one of: 'a', 'b'.",
         "Choisissez parmi\u00a0: 'a', 'b'."),
        ({"id": "7"}, "id", "uuid_parsing", "Give an id (UUID).",
         "Indiquez un identifiant (UUID)."),
        ({"moment": "2026-01-31T12:00:00"}, "moment", "timezone_aware",
         "Give the time with its time zone, as in 2026-01-31T12:00:00Z.",
         "Indiquez l\u2019instant avec son fuseau horaire, comme 2026-01-31T12:00:00Z."),
        ({"many": []}, "many", "too_short", "At least 1 entry is needed.",
         "Au moins 1 élément est nécessaire."),
        ({"many": [1, "x"]}, "many.1", "int_type", "Give a whole number, such as 12.",
         "Indiquez un nombre entier, par exemple 12."),
        ({"line": "a\nb"}, "line", "string_pattern_mismatch",
         "Give a single line, without line breaks and tabs.",
         "Indiquez une seule ligne, sans retour à la ligne ni tabulation."),
        ({"tag": "a"}, "tag", "string_too_short", "At least 2 characters are needed.",
         "Au moins 2 caractères sont nécessaires."),
        ({"tag": "abcd"}, "tag", "string_too_long", "At most 3 characters are allowed.",
         "Au plus 3 caractères sont autorisés."),
        ({"surprise": 1}, "surprise", "extra_forbidden",
         "This field is not known here. Check its spelling, or leave it out.",
         "Ce champ est inconnu ici. Vérifiez son orthographe ou retirez-le."),
    ],
)  # fmt: skip
def test_the_place_and_the_fault_are_told_in_both_languages(values, path, code, english, french):
    assert messages_of("en", **values) == [(path, code, english)]
    assert messages_of("fr", **values) == [(path, code, french)]


def test_a_validator_of_ours_brings_its_own_text():
    message = "Les caractères de contrôle ne sont pas autorisés."

    assert messages_of("en", own="x") == [("own", "shop_closed", "An adjustment needs a reason.")]
    assert messages_of("fr", line="a\x07") == [("line", "control_characters", message)]


def test_the_words_of_pydantic_never_reach_a_client():
    error = {"loc": ("body",), "type": "value_error", "msg": "Value error, password is hunter2"}

    told, _ = validation_errors([error], "en")

    assert told == [{"path": "body", "code": "value_error", "message": FALLBACK}]


def test_the_value_refused_is_not_repeated():
    told = str(messages_of("en", whole="hunter2", id="hunter2", quantity="hunter2"))

    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("kind", "value"),
    [(int, "9" * 5000), (datetime, "x"), (date, "2026-01-31T12:00:01Z"), (dict, 1), (set, 1)],
)
def test_odd_values_of_plain_kinds_have_a_message(kind, value):
    class Body(BaseModel):
        field: kind

    with pytest.raises(ValidationError) as caught:
        Body.model_validate({"field": value})

    ((told,), _) = validation_errors([dict(error) for error in caught.value.errors()], "fr")
    assert told["message"] not in {FALLBACK, translate(FALLBACK, "fr")}
