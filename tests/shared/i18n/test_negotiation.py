import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.i18n import LANGUAGES, negotiate


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("fr", "fr"),
        ("fr-CA;q=0.8, en;q=0.5", "fr"),
        ("en;q=0.5, fr-CA;q=0.8", "fr"),
        ("fr;q=0.5, en", "en"),
        ("FR_ca", "fr"),
        ("de, fr;q=0.1", "fr"),
        ("fr, en", "fr"),
        ("fr;q=0, en;q=0.1", "en"),
        ("fr;q=2", "fr"),
        ("fr ; Q = 0.9, en;q=0.8", "fr"),
    ],
)
def test_the_best_known_language_of_the_header_is_chosen(header, language):
    other = "en" if language == "fr" else "fr"

    assert negotiate(None, header, None, other) == language


@pytest.mark.parametrize(
    "header",
    ["", "de", "*", ",,;;", "fr;q=0", "fr;q=-1", "fr;q=nan", "fr;q=x", "q=1", "\x00", "f r", None],
)
def test_a_header_without_a_known_language_leaves_the_default(header):
    assert negotiate(None, header, None, "en") == "en"


@pytest.mark.parametrize(
    ("query", "header", "user", "language"),
    [
        ("fr", "en", "en", "fr"),
        ("en-GB", "fr", "fr", "en"),
        ("xx", "fr", "en", "fr"),
        (None, None, "fr", "fr"),
        ("", "de", "fr", "fr"),
        (None, "en", "fr", "en"),
        (None, None, "xx", "en"),
    ],
)
def test_the_address_comes_before_the_header_before_the_user(query, header, user, language):
    assert negotiate(query, header, user, "en") == language


def test_a_header_as_long_as_a_book_is_read_only_at_its_beginning():
    assert negotiate(None, "de," * 10_000 + "fr", None, "en") == "en"


@given(st.text(), st.text(), st.text(), st.sampled_from(LANGUAGES))
def test_garbage_gives_some_language_and_never_fails(query, header, user, default):
    assert negotiate(query, header, user, default) in LANGUAGES
