"""Filters of lists: `userName eq "ada@example.com"`, and several of these joined by `and`.

That is what directories ask when they look an account up (RFC 7644, 3.4.2.2); anything else is
refused, never half understood.
"""

import json
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from services.auth.scim.rules.names import TERMS_MAX

_URN = r"(?:urn:ietf:params:scim:schemas:core:2\.0:\w+:)?"
_ATTRIBUTE = r"[A-Za-z][\w$-]*(?:\.[A-Za-z][\w$-]*)?"
_VALUE = r'"(?:[^"\\]|\\.)*"|true|false'
_TERM: Final = re.compile(
    rf"\s*{_URN}(?P<attribute>{_ATTRIBUTE})\s+eq\s+(?P<value>{_VALUE})\s*", re.IGNORECASE
)
_AND: Final = re.compile(r"and(?=\s)", re.IGNORECASE)


class Term(NamedTuple):
    """`attribute` as the resource has it, and the value that it must equal."""

    attribute: str
    value: str | bool


def parse_filter(text: str, known: Mapping[str, str]) -> list[Term] | None:
    """Return the terms that must all hold, or None for a filter beyond `and` and `eq`.

    `known` gives the attributes that can be asked for: as written in lower case, and by their name.
    """
    terms: list[Term] = []
    at = 0
    while len(terms) < TERMS_MAX:
        found = _TERM.match(text, at)
        name = known.get(found["attribute"].lower()) if found else None
        if found is None or name is None:
            return None
        value = _value(found["value"])
        if value is None:
            return None
        terms.append(Term(name, value))
        at = found.end()
        if at == len(text):
            return terms
        joined = _AND.match(text, at)
        if joined is None or not text[at - 1].isspace():
            return None
        at = joined.end()
    return None


def _value(text: str) -> str | bool | None:
    """Return what is written, None for what is no JSON text."""
    if text[0] != '"':
        return text.lower() == "true"
    try:
        value: str = json.loads(text)
        value.encode()  # A lone surrogate is written in JSON, and is no text.
    except ValueError:
        return None
    return value
