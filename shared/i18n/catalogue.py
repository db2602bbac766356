import io
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal, localcontext
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any

from babel.core import Locale
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

LANGUAGES = ("en", "fr")
DIGITS_MAX = 1000  # Of a number that is written; quantities of kits and packs multiply.
_DATE_PATTERN = "d MMMM y"
_TIME_PATTERNS = {"en": "d MMMM y, HH:mm 'UTC'", "fr": "d MMMM y 'à' HH:mm 'UTC'"}
SHARED_LOCALES = Path(__file__).parent.parent / "locales"

_translations: dict[str, NullTranslations] = {}
_loaded: set[Path] = set()


def N_(text: str) -> str:  # noqa: N802 - gettext's customary name; Babel extracts by it.
    """Mark a source text for translation and return it unchanged."""
    return text


def NP_(singular: str, plural: str) -> tuple[str, str]:  # noqa: N802 - same, for both forms.
    """Mark a source text in both its forms and return them unchanged."""
    return singular, plural


def load_catalogues(folders: Iterable[Path]) -> None:
    """Add the catalogues of these `locales` folders to those of `shared`."""
    for folder in (SHARED_LOCALES, *folders):
        if folder in _loaded:
            continue
        _loaded.add(folder)
        for language in LANGUAGES:
            path = folder / language / "LC_MESSAGES" / "messages.po"
            if path.exists():
                _add(language, path)


def translate(text: str, language: str, **params: Any) -> str:  # noqa: ANN401 - any value prints.
    """Return `text` in `language` (English where untranslated), filled in with `params`.

    Numbers, days and times are written in the language's manner; a time to the minute, in UTC.
    """
    message = _find(language).gettext(text)
    return _fill(message, language, params) if params else message


def translate_plural(
    singular: str,
    plural: str,
    count: Decimal | int,
    language: str,
    **params: Any,  # noqa: ANN401 - any value prints.
) -> str:
    """Return the form that `count` needs, with `{count}` and `params` filled in.

    Decimals too: 0.5 is plural in English, 1.5 is singular in French.
    """
    message = _find(language).ngettext(singular, plural, _representative(count, language))
    return _fill(message, language, {"count": count, **params})


def _representative(count: Decimal | int, language: str) -> int:
    """Return a whole number of the same form: gettext knows no others."""
    exact = Decimal(count)
    if exact == exact.to_integral_value():
        exact = Decimal(int(exact))  # 1.0000 units are one unit.
    return 1 if Locale.parse(language).plural_form(abs(exact)) == "one" else 2


def _fill(message: str, language: str, params: dict[str, Any]) -> str:
    return message.format(**{name: _localised(value, language) for name, value in params.items()})


def _localised(value: object, language: str) -> object:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        with localcontext(prec=DIGITS_MAX):
            return format_decimal(value, locale=language, decimal_quantization=False)
    if isinstance(value, datetime):
        return format_datetime(value, _TIME_PATTERNS[language], tzinfo=UTC, locale=language)
    if isinstance(value, date):
        return format_date(value, _DATE_PATTERN, locale=language)
    return value


def _find(language: str) -> NullTranslations:
    if not _translations:
        load_catalogues([])
    return _translations.get(language, _ENGLISH)


def _add(language: str, path: Path) -> None:
    with path.open("rb") as source:
        catalogue = read_po(source, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    translations = GNUTranslations(compiled)
    if language in _translations:
        _translations[language].add_fallback(translations)
    else:
        _translations[language] = translations


_ENGLISH = NullTranslations()
