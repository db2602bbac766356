"""Every message of every package, in English and French."""

import re
from dataclasses import fields
from importlib import import_module
from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from deploy.messages import ROOT, packages, source_messages
from shared.errors import Problem

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
    if any("\\" in form for form in translated):
        return "a backslash, which a person would read"
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


_BEHIND_A_NUMBER = re.compile(r"\{\w+\}[ \u00a0\u202f](?:derniers |more |usable )?([^\W\d]+[sx])\b")
# What ends like a plural noun and is none.
_NO_NOUNS = {"is", "was", "has", "lies", "names", "dans", "dépasse", "plus", "puis", "sans", "vers"}


def counted_things(text: str) -> list[str]:
    """What a text counts: the words in the plural right behind a placeholder."""
    found = re.findall(
        r"\{(?:\w+)\}[ \u00a0\u202f](?:derniers |more |usable )?([^\W\d]+[sx])\b", text
    )
    return [word for word in found if word not in _NO_NOUNS]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_what_is_counted_has_a_singular_and_a_plural_in_both_languages(package):
    """One line, not 1 lines: such a text is marked with NP_, and a Problem says what it counts."""
    one_form = [
        text
        for message in _catalogue(package)
        if isinstance(message.id, str)
        for text in (message.id, message.string)
        if counted_things(text)
    ]
    alike = [
        message.id[0]
        for message in _catalogue(package)
        if isinstance(message.id, tuple)
        for forms in (message.id, message.string)
        if len(forms) != 2 or (forms[0] == forms[1] and counted_things(forms[1]))
    ]

    assert one_form == []
    assert alike == []


@pytest.mark.parametrize(
    ("text", "things"),
    [
        ("{refused} lines cannot be applied.", ["lines"]),
        ("The last {training_days} days.", ["days"]),
        ("au cours des {training_days} derniers jours.", ["jours"]),
        ("{item} has a history in the unit {unit}.", []),
        ("The item {item} is retired.", []),
    ],
)
def test_what_counts_as_counting(text, things):
    assert counted_things(text) == things


def _problems() -> set[type[Problem]]:
    """Return every problem of the product, whichever modules others have imported."""
    for package in PACKAGES:
        for path in package.rglob("errors.py"):
            import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    products = ("shared.", "gateway.", "services.")
    return {kind for kind in _below(Problem) if kind.__module__.startswith(products)}


def _below(kind: type[Problem]) -> set[type[Problem]]:
    return {kind}.union(*(_below(each) for each in kind.__subclasses__()))


def test_a_problem_with_two_forms_says_which_field_decides():
    two_forms = {kind for kind in _problems() if isinstance(kind.detail, tuple)}

    assert two_forms
    for kind in two_forms:
        assert kind.counted in {field.name for field in fields(kind)}, kind
        assert all(f"{{{kind.counted}}}" in form for form in kind.detail), kind


# How a sentence begins that says what to do.
_DO = {"Ask", "Give", "Send", "Use", "Wait", "Write"}


def test_every_problem_says_what_to_do_next():
    """One that says only what is wrong leaves its reader alone: a second sentence, or an order."""
    silent = [
        kind.detail
        for kind in _problems()
        for form in _forms(kind.detail)
        if form.split()[0] not in _DO and not re.search("[.;] ", form)
    ]

    assert silent == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_french_has_one_apostrophe_and_spaces_that_do_not_break(package):
    """The typographic apostrophe; before a colon and inside quotation marks a no-break space."""
    wrong = [
        form
        for message in _catalogue(package)
        if message.id
        for form in _forms(message.string)
        if "'" in form or re.search(r" [:;!?\u00bb]|\u00ab ", form)
    ]

    assert wrong == []
