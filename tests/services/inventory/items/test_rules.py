import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inventory.items.rules import SEARCH_TEXT_LENGTH_MAX, folded, search_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Pâtes  Été", "pates ete"),
        ("Pa\u0302tes", "pates"),
        ("STRASSE Straße", "strasse strasse"),
        ("ﬁne", "fine"),
        ("  a\tb\n c ", "a b c"),
        ("№ 5", "no 5"),
        ("", ""),
    ],
)
def test_case_accents_and_spaces_are_folded(text, expected):
    assert folded(text) == expected


@given(st.text())
def test_what_is_typed_loudly_is_found_like_what_is_typed_quietly(text):
    assert folded(f" {text}\t") == folded(text)
    assert "  " not in folded(text)


@given(st.text())
def test_folding_again_changes_nothing(text):
    assert folded(folded(text)) == folded(text)


@given(st.lists(st.none() | st.text()))
def test_the_search_text_is_one_bounded_line(parts):
    text = search_text(parts)

    assert len(text) <= SEARCH_TEXT_LENGTH_MAX
    assert len(text.splitlines()) <= 1


def test_the_search_text_holds_every_part_that_is_given():
    assert search_text(["SP-1", "Spaghetti", None, "", "Pâtes"]) == "sp-1 spaghetti pates"
