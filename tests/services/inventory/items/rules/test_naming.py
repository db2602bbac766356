from hypothesis import given
from hypothesis import strategies as st

from services.inventory.items.rules import (
    SEARCH_TEXT_LENGTH_MAX,
    Label,
    barcodes_of,
    labels_of,
    patterns,
    search_text,
)
from shared.identifiers import identifier_key as _key


@given(st.lists(st.none() | st.text()))
def test_the_search_text_is_one_bounded_line(parts):
    text = search_text(parts)

    assert len(text) <= SEARCH_TEXT_LENGTH_MAX + 1
    assert "\n" not in text


def test_the_search_text_holds_every_part_that_is_given():
    assert search_text(["SP-1", "Spaghetti", None, "", "Pâtes"]) == "sp-1 spaghetti pates\x1f"
    assert search_text(["SP-1"], "food") == "sp-1\x1ffood"


@given(st.lists(st.text(min_size=1).filter(lambda text: _key(text.upper()) == _key(text))))
def test_each_barcode_is_named_once_however_often_it_is_written(barcodes):
    once = [(barcode, None) for barcode in barcodes]
    labels = labels_of("code", [*once, *once, *((b.upper(), "case") for b in barcodes)])

    assert labels_of("code", once) == labels
    assert labels["code"].is_code
    assert [key for key, label in labels.items() if label.is_code] == ["code"]
    assert set(barcodes_of(labels.values())) <= set(barcodes)


def test_the_longest_word_of_a_query_comes_first_and_signs_of_patterns_are_signs():
    assert patterns("of spaghetti 500 of") == ["spaghetti", "500", "of"]
    assert patterns(r"50% a_b \c") == [r"50\%", r"a\_b", r"\\c"]
    assert patterns("") == [""]


def test_a_code_on_a_label_is_one_key():
    assert labels_of("abc", [("ABC", None), ("abc", "case"), ("9", "case")]) == {
        "abc": Label(is_code=True, barcode="ABC"),
        "9": Label(is_code=False, barcode="9", unit="case"),
    }
