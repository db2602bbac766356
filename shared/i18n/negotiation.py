from functools import lru_cache

from shared.i18n.catalogue import LANGUAGES

HEADER_LENGTH_MAX = 200
# The gateway's word on the user's own setting, which may have changed since the token was made.
USER_LANGUAGE_HEADER = "x-user-language"


@lru_cache(maxsize=1024)
def negotiate(
    query_lang: str | None, accept_language: str | None, user_lang: str | None, default: str
) -> str:
    """Return the language to answer in: `?lang=`, Accept-Language, the user's own, the default.

    Quality values count (RFC 9110, 12.5.4), `fr-CA` means `fr`, `q=0` refuses a language.
    """
    for choice in (_primary(query_lang), _accepted(accept_language), _primary(user_lang)):
        if choice in LANGUAGES:
            return choice
    return default


def _accepted(header: str | None) -> str | None:
    if not header:
        return None
    best, best_quality = None, 0.0
    for part in header[:HEADER_LENGTH_MAX].split(","):
        tag, _, parameters = part.partition(";")
        language, quality = _primary(tag), _quality(parameters)
        if language in LANGUAGES and quality > best_quality:
            best, best_quality = language, quality
    return best


def _primary(tag: str | None) -> str | None:
    return tag.strip().lower().split("-")[0].split("_")[0] if tag else None


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
