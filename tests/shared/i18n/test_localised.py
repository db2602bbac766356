import pytest

from shared.i18n.localised import said_in


@pytest.mark.parametrize(
    ("english", "french", "expected"),
    [
        ("e", "f", ("e", "f")),
        ("e", None, ("e", "e")),
        (None, "f", ("f", "f")),
        ("e", "", ("e", "")),
        ("", "f", ("", "f")),
        (None, None, ("", "")),
    ],
)
def test_what_is_unsaid_in_one_language_is_said_by_the_other(english, french, expected):
    assert (said_in("en", english, french), said_in("fr", english, french)) == expected
