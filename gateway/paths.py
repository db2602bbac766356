"""Paths with one reading only.

What passes is used unchanged for routing, authorisation and forwarding, so that no two parties can
understand a path differently. What could be read in two ways is refused, never repaired.
"""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from gateway.errors import AmbiguousPath, UriTooLong

PATH_LENGTH_MAX: Final = 2048
QUERY_LENGTH_MAX: Final = 8192

# RFC 3986 pchar without ";", which some servers cut at ("/..;/").
_PLAIN: Final = rb"A-Za-z0-9\-._~!$&'()*+,=:@"
_SEGMENT: Final = rb"/(?!\.{1,2}(?:/|\Z))"  # Never "." or "..".
_PLAIN_PATH: Final = re.compile(rb"(?:" + _SEGMENT + rb"[" + _PLAIN + rb"]+)+/?|/")
_ENCODED_PATH: Final = re.compile(
    rb"(?:" + _SEGMENT + rb"(?:[" + _PLAIN + rb"]|%[0-9A-Fa-f]{2})+)+/?"
)
# Encoded: what need not be (letters, digits, - . _ ~), what separates (/ \), what is not
# printable, and a percent sign that would make a second round of decoding.
_HARMFUL: Final = re.compile(
    rb"%(?:[01][0-9A-F]|2[DEF]|3[0-9]|4[1-9A-F]|5[0-9AC]|5F|6[1-9A-F]|7[0-9AEF]|25[0-9A-F]{2})",
    re.IGNORECASE,
)
_QUERY: Final = re.compile(rb"[!$-;=?-Z\[\]_a-z~%\\^`{|}]*")  # Printable ASCII but " # < >.


def check_path(path: bytes) -> bytes:
    """Return the path if it has one reading. Raises AmbiguousPath, UriTooLong."""
    if len(path) > PATH_LENGTH_MAX:
        raise UriTooLong
    if _PLAIN_PATH.fullmatch(path) or _is_soundly_encoded(path):
        return path
    raise AmbiguousPath


def check_query(query: bytes) -> bytes:
    """Return the query if it is printable ASCII. Raises AmbiguousPath, UriTooLong."""
    if len(query) > QUERY_LENGTH_MAX:
        raise UriTooLong
    if not _QUERY.fullmatch(query):
        raise AmbiguousPath
    return query


def _is_soundly_encoded(path: bytes) -> bool:
    if not _ENCODED_PATH.fullmatch(path) or _HARMFUL.search(path):
        return False
    try:
        unquote_to_bytes(path).decode("utf-8")  # Refuses overlong forms and lone surrogates too.
    except UnicodeDecodeError:
        return False
    return True
