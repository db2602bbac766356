"""What a PATCH of a group means: who joins and who leaves (RFC 7644, 3.5.2)."""

import json
import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Self

_ONE: Final = re.compile(
    r'members\[\s*value\s+eq\s+(?P<member>"(?:[^"\\]|\\.){1,64}")\s*\]', re.IGNORECASE
)
_MEMBER_LENGTH_MAX: Final = 64
_OTHERS: Final = frozenset({"externalid", "id", "schemas"})  # Sent along, and of no effect.


class Memberships(NamedTuple):
    """Who joins, who leaves; with `replaced`, whoever else is a member leaves too."""

    replaced: bool = False
    added: Sequence[str] = ()
    removed: Sequence[str] = ()
    display_name: Any = None

    def then(self, later: Self) -> "Memberships":
        """Return both changes as one: of one member, the later counts."""
        if later.replaced:
            return later
        added = [one for one in self.added if one not in later.removed]
        removed = [one for one in self.removed if one not in later.added]
        return Memberships(self.replaced, [*added, *later.added], [*removed, *later.removed])


def read_membership(verb: str, path: str | None, value: Any) -> Memberships | None:  # noqa: ANN401 - any JSON value.
    """Return what one operation asks for, None where that cannot be told."""
    if path is None:
        return _without_path(verb, value)
    plain = path.rpartition(":")[2] if path.lower().startswith("urn:") else path.strip()
    name = plain.lower()
    if name == "displayname":
        return Memberships(display_name=value)
    if name in _OTHERS:
        return Memberships()
    if name != "members":
        one = _ONE.fullmatch(plain) if verb == "remove" else None
        return None if one is None else _without_one(one["member"])
    if verb == "remove" and value is None:
        return Memberships(replaced=True)
    return _of_members(verb, value)


def _without_path(verb: str, value: Any) -> Memberships | None:  # noqa: ANN401 - same.
    if verb == "remove" or not isinstance(value, dict):
        return None
    given = {str(name).lower(): one for name, one in value.items()}
    members = _of_members(verb, given["members"]) if "members" in given else Memberships()
    name = given.get("displayname")
    return None if members is None else members._replace(display_name=name)


def _without_one(written: str) -> Memberships | None:
    try:
        return Memberships(removed=[json.loads(written)])
    except ValueError:
        return None


def _of_members(verb: str, value: Any) -> Memberships | None:  # noqa: ANN401 - same.
    given = value if isinstance(value, list) else [value]
    ids = [one.get("value") if isinstance(one, dict) else one for one in given]
    members = [one for one in ids if isinstance(one, str) and len(one) <= _MEMBER_LENGTH_MAX]
    if len(members) != len(ids):
        return None
    match verb:
        case "add":
            return Memberships(added=members)
        case "remove":
            return Memberships(removed=members)
        case _:
            return Memberships(replaced=True, added=members)
