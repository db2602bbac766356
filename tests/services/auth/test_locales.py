import string
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import services.auth

PACKAGE = Path(services.auth.__path__[0])
KEYWORDS = {"N_": None}


def sources() -> set[str]:
    found = extract_from_dir(PACKAGE, method_map=[("**.py", "python")], keywords=KEYWORDS)
    return {str(message) for _, _, message, _, _ in found}


def french() -> dict[str, str]:
    with (PACKAGE / "locales/fr/LC_MESSAGES/messages.po").open("rb") as source:
        return {str(m.id): str(m.string) for m in read_po(source) if m.id}


def test_every_message_has_its_french_text_and_none_is_left_over():
    assert len(sources()) > 20
    assert sources() == {source for source, text in french().items() if text}


@pytest.mark.parametrize("source", sorted(french()))
def test_translations_fill_in_the_same_values(source: str):
    def names(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert names(french()[source]) == names(source)
