import unicodedata
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.identifiers import (
    CODE_LENGTH_MAX,
    KEY_LENGTH_MAX,
    Code,
    UniqueName,
    find_id,
    identifier_key,
    is_visible,
    one_spaced,
)

code = TypeAdapter(Code).validate_python
name = TypeAdapter(UniqueName).validate_python
INDEX_ROW_BYTES_MAX = 2704  # Of PostgreSQL's b-tree.
ID = "0190b6f0-5a3c-7000-8000-2f1c4d5e6f70"


def refusal(value: Any, validate: Any = code) -> str:
    with pytest.raises(ValidationError) as caught:
        validate(value)
    return str(caught.value.errors()[0]["type"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("abc", "ABC"),
        ("ABC", "\uff21\uff22\uff23"),  # Fullwidth.
        ("fin", "\ufb01n"),  # A ligature.
        ("strasse", "Straße"),
        ("σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("é", "e\u0301"),
        ("a b", "a \u00a0  b"),
        ("m\u00b2", "M2"),
        ("\u2173", "IV"),
        ("\uff11\uff12", "12"),
    ],
)
def test_what_looks_alike_has_one_key(one, other):
    assert identifier_key(one) == identifier_key(other)


@pytest.mark.parametrize(("one", "other"), [("a", "á"), ("o", "0"), ("a-b", "ab"), ("a b", "ab")])
def test_what_is_different_keeps_apart(one, other):
    assert identifier_key(one) != identifier_key(other)


@given(st.text())
def test_a_key_is_its_own_key(text):
    assert identifier_key(identifier_key(text)) == identifier_key(text)


@given(st.text())
def test_a_key_is_the_same_however_the_text_is_written(text):
    key = identifier_key(text)

    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert identifier_key(unicodedata.normalize(form, text)) == key
    assert identifier_key(f" {text}\u00a0") == key


@given(st.text(st.characters(max_codepoint=127)))
def test_the_short_way_for_ascii_is_the_long_one(text):
    assert identifier_key(text) == identifier_key(f"{text} é").removesuffix("é").rstrip()


@given(st.text(min_size=1, max_size=CODE_LENGTH_MAX))
def test_a_code_that_is_taken_is_shown_as_typed_and_fits_an_index(text):
    try:
        taken = code(text)
    except ValidationError:
        return
    assert taken == one_spaced(text)
    assert code(taken) == taken
    assert 0 < len(identifier_key(taken).encode()) < INDEX_ROW_BYTES_MAX
    assert all(is_visible(character) for character in taken)


@pytest.mark.parametrize(
    "text", ["1/2 ELBOW #40", "50%", "a?b\\c=d+e", "面 500", "œuf", "x" * 64, "№ 5", "a & b", "'"]
)
def test_codes_of_real_catalogues_are_taken_as_they_are(text):
    assert code(text) == text


def test_spaces_are_trimmed_and_become_one():
    assert code("\u00a0 1/2 \u2003\u202f ELBOW ") == "1/2 ELBOW"
    assert code("e\u0301") == "\u00e9"


@pytest.mark.parametrize(
    "hidden",
    [
        "\u200b", "\ufeff", "\u00ad", "\u2060", "\u202e", "\u0000", "\t", "\n", "\x7f", "\u2028",
        "\ue000", "\u0378", "\u115f", "\u3164", "\uffa0", "\u2800", "\ufe0f", "\U000e0100",
        "\U000e0041", "\u034f",
    ],
)  # fmt: skip
def test_what_cannot_be_seen_is_refused(hidden):
    assert not is_visible(hidden)
    expected = "control_characters" if hidden < " " or hidden == "\x7f" else "invisible_characters"
    assert refusal(f"SKU{hidden}1") == expected
    assert refusal(f"Main{hidden}x", name) == expected


@pytest.mark.parametrize("text", [ID, ID.upper(), f" {ID} ", ID.replace("0", "\uff10")])
def test_a_text_in_the_form_of_an_id_is_an_id(text):
    assert find_id(text) == UUID(ID)
    assert refusal(text) == "looks_like_an_id"
    assert refusal(text, name) == "looks_like_an_id"


@pytest.mark.parametrize(
    "text", [ID.replace("-", ""), f"{{{ID}}}", f"urn:uuid:{ID}", ID[:-1], f"{ID}0", "A1", ""]
)
def test_anything_else_is_a_name(text):
    assert find_id(text) is None


@given(st.uuids())
def test_every_id_is_found_in_its_own_text(value):
    assert find_id(str(value)) == value
    assert find_id(str(uuid4())) != value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "string_too_short"),
        ("  ", "string_too_short"),
        ("x" * 65, "string_too_long"),
        (7, "string_type"),
    ],
)
def test_a_code_has_bounds(text, expected):
    assert refusal(text) == expected


def test_a_name_whose_key_would_not_fit_is_refused():
    wide = "\ufdfa"  # One sign for eighteen.

    assert len(identifier_key(name(wide * 27))) <= KEY_LENGTH_MAX
    assert refusal(wide * 100, name) == "identifier_too_long"
