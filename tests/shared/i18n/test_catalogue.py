from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from shared.i18n import catalogue, load_catalogues, translate, translate_plural

HEADER = (
    'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    '"Plural-Forms: nplurals=2; plural=(n > 1);\\n"\n\n'
)


@pytest.fixture
def fresh(monkeypatch):
    """No catalogue is loaded yet, as at the start of a process."""
    monkeypatch.setattr(catalogue, "_translations", {})
    monkeypatch.setattr(catalogue, "_loaded", set())


@pytest.fixture
def load(fresh, tmp_path):
    def load_messages(name: str, *lines: str) -> None:
        folder = tmp_path / name / "fr" / "LC_MESSAGES"
        folder.mkdir(parents=True)
        (folder / "messages.po").write_text(HEADER + "\n".join(lines))
        load_catalogues([tmp_path / name])

    return load_messages


def test_a_known_text_is_translated(fresh):
    assert translate("Not found", "fr") == "Introuvable"
    assert translate("Not found", "en") == "Not found"


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "5 December 2026, 09:30 UTC, 1 March 2027"),
     ("fr", "5 décembre 2026 à 09:30 UTC, 1 mars 2027")],
)  # fmt: skip
def test_days_and_times_are_written_for_people(language, told):
    east = timezone(timedelta(hours=2))
    at, day = datetime(2026, 12, 5, 11, 30, 15, 123, tzinfo=east), date(2027, 3, 1)

    assert translate("{at}, {day}", language, at=at, day=day) == told


def test_an_unknown_text_or_language_gives_the_source(fresh):
    assert translate("No such message", "fr") == "No such message"
    assert translate("Not found", "de") == "Not found"


def test_a_package_adds_its_texts_to_those_of_shared(load):
    load("one", 'msgid "Pear"\nmsgstr "Poire"\n')
    load("two", 'msgid "Apple"\nmsgstr "Pomme"\n')

    assert translate("Pear", "fr") == "Poire"
    assert translate("Apple", "fr") == "Pomme"
    assert translate("Not found", "fr") == "Introuvable"


def test_numbers_are_written_in_the_manner_of_the_language(load):
    load("one", 'msgid "{n} kg"\nmsgstr "{n} kilos"\n')

    assert translate("{n} kg", "fr", n=Decimal("1234.50")) == "1\u202f234,5 kilos"
    assert translate("{n} kg", "en", n=Decimal("1234.50")) == "1,234.5 kg"
    assert translate("{n} kg", "fr", n=12345) == "12\u202f345 kilos"


def test_a_decimal_loses_no_digit(load):
    load("one")

    digits = translate("{n}", "fr", n=Decimal("0.000001"))

    assert digits == "0,000001"


def test_a_number_of_many_digits_is_written_whole(load):
    load("one")
    number = Decimal("1" * 31)

    assert translate("{n}", "en", n=number) == "1" + ",111" * 10
    assert translate_plural("{count} box", "{count} boxes", number, "en")[-5:] == "boxes"


def test_text_and_truth_are_filled_in_as_they_are(load):
    load("one")

    assert translate("{a} {b}", "fr", a="12.5", b=True) == "12.5 True"


def test_braces_in_a_value_are_not_filled_in_again(load):
    load("one")

    assert translate("{a}", "en", a="{b} {0}") == "{b} {0}"


@pytest.mark.parametrize(
    ("count", "english", "french"),
    [
        (0, "0 boxes", "0 carton"),
        (1, "1 box", "1 carton"),
        (2, "2 boxes", "2 cartons"),
        (1500, "1,500 boxes", "1\u202f500 cartons"),
    ],
)
def test_each_language_has_its_own_plural(load, count, english, french):
    load(
        "one",
        'msgid "{count} box"\nmsgid_plural "{count} boxes"',
        'msgstr[0] "{count} carton"\nmsgstr[1] "{count} cartons"\n',
    )

    assert translate_plural("{count} box", "{count} boxes", count, "en") == english
    assert translate_plural("{count} box", "{count} boxes", count, "fr") == french


@pytest.mark.parametrize(
    ("count", "english", "french"),
    [
        ("0.5", "0.5 boxes", "0,5 carton"),
        ("1.5", "1.5 boxes", "1,5 carton"),
        ("2.5", "2.5 boxes", "2,5 cartons"),
        ("-1", "-1 box", "-1 carton"),
    ],
)
def test_a_part_of_one_has_the_form_that_its_language_gives_it(load, count, english, french):
    load(
        "one",
        'msgid "{count} box"\nmsgid_plural "{count} boxes"',
        'msgstr[0] "{count} carton"\nmsgstr[1] "{count} cartons"\n',
    )

    forms = "{count} box", "{count} boxes"
    assert translate_plural(*forms, Decimal(count), "en") == english
    assert translate_plural(*forms, Decimal(count), "fr") == french


def test_one_is_one_however_many_zeros_follow(load):
    assert translate_plural("{n} box", "{n} boxes", Decimal("1.0000"), "en", n=1) == "1 box"
