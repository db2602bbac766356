"""Entity tags: `"<version>-<digest>"`, the row's version and what the answer shows.

An edit compares the version alone, since it overwrites the row; a reader compares the whole tag,
since an answer also shows what its version does not count: stock on hand, a language, a price.
"""

import hashlib

from shared.errors import PreconditionFailed

_DIGEST_BYTES = 8


def entity_tag(version: int, body: bytes) -> str:
    """Return the tag of an answer that shows a row in this version."""
    return f'"{version}-{hashlib.blake2b(body, digest_size=_DIGEST_BYTES).hexdigest()}"'


def require_match(if_match: str | None, version: int) -> None:
    """Raise PreconditionFailed when the client edits another version than the present one.

    `if_match` is the header as it came: a tag, several, `*`, or None where none was sent. A tag of
    the version alone (`"7"`), as earlier releases gave, counts too.
    """
    if if_match is None or if_match.strip() == "*":
        return
    if str(version) not in {_version_of(tag) for tag in _tags(if_match)}:
        raise PreconditionFailed


def is_known(if_none_match: str | None, tag: str) -> bool:
    """Say whether the reader already has the answer with this tag."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or tag in _tags(if_none_match)


def _tags(header: str) -> set[str]:
    """Return the tags of a header; weak ones stand for what they name, as in RFC 9110, 13.1."""
    return {part.strip().removeprefix("W/") for part in header.split(",")}


def _version_of(tag: str) -> str | None:
    """Return the version within a tag, None where it is no tag."""
    quoted = len(tag) > 1 and tag[0] == tag[-1] == '"'
    return tag[1:-1].partition("-")[0] if quoted else None
