"""Texts that are kept in both languages; null is a language in which nothing was said."""


def said_in(language: str, english: str | None, french: str | None) -> str:
    """Return what was said in a language, else in the other one; empty if in neither."""
    first, second = (french, english) if language == "fr" else (english, french)
    return first if first is not None else second or ""
