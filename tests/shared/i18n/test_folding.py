import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.i18n.folding import folded


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
        ("Œufs, cœurs", "oeufs, coeurs"),
        ("Ærø Łódź", "aero lodz"),
        ("Smørrebrød þ ð", "smorrebrod th d"),
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
