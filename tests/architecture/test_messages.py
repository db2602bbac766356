"""Every message of every package, in English and French."""

from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from deploy.messages import ROOT, packages, source_messages

PACKAGES = [package for package in packages(ROOT) if len(source_messages(package))]


def _catalogue(package) -> Catalog:
    path = package / "locales/fr/LC_MESSAGES/messages.po"
    assert path.exists(), "make messages"
    with path.open("rb") as file:
        return read_po(file, locale="fr", abort_invalid=True)


def _forms(text) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def _wrong(message: Message) -> str | None:
    if message.fuzzy:
        return "fuzzy"
    translated = _forms(message.string)
    if not translated or not all(translated):
        return "not translated"
    wanted = _placeholders(_forms(message.id)[-1])
    if any(_placeholders(form) != wanted for form in translated):
        return "other placeholders"
    return None


def test_packages_with_messages_are_found():
    assert {package.name for package in PACKAGES} >= {"shared", "inventory"}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_every_message_is_translated_with_the_same_placeholders(package):
    wrong = {
        _forms(message.id)[0]: fault
        for message in _catalogue(package)
        if message.id and (fault := _wrong(message))
    }

    assert wrong == {}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_the_catalogue_holds_exactly_the_messages_of_the_code(package):
    catalogue = _catalogue(package)

    held = {tuple(_forms(message.id)) for message in catalogue if message.id}
    marked = {tuple(_forms(message.id)) for message in source_messages(package) if message.id}

    assert held == marked
    assert list(catalogue.obsolete) == []
