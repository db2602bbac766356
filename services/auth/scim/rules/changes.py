"""Changes by PATCH (RFC 7644, 3.5.2), as the RFC has them and as directories send them.

A change is made on the resource as a JSON object, which is then read like the body of a PUT. Where
Entra ID and Okta depart from the RFC they are understood: `op` with a capital, no path and dotted
names in the value, one value where a list belongs, a value filter that nothing matches yet.
"""

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final, Literal, NamedTuple

Json = dict[str, Any]
Verb = Literal["add", "replace", "remove"]

# What of a user can be written, by its name in lower case; a list has values of its own.
USER_ATTRIBUTES: Final[Mapping[str, str]] = {
    name.lower(): name
    for name in (
        "userName", "externalId", "name", "displayName", "emails", "active", "preferredLanguage",
    )
}  # fmt: skip
_PARTS: Final[Mapping[str, str]] = {
    name.lower(): name
    for name in ("givenName", "familyName", "formatted", "value", "type", "primary")
}
_LISTS: Final = frozenset({"emails"})
_OBJECTS: Final = frozenset({"name"})

_CORE: Final = re.compile(r"urn:ietf:params:scim:schemas:core:2\.0:\w+[:.]", re.IGNORECASE)
_PATH: Final = re.compile(
    r"(?P<attribute>[A-Za-z][\w$-]*)(?:\[(?P<filter>[^\]]{1,500})\])?(?:\.(?P<part>[A-Za-z][\w$-]*))?"
)
_CONDITION: Final = re.compile(
    r'\s*(?P<part>\w+)\s+eq\s+(?P<value>"(?:[^"\\]|\\.)*"|true|false)\s*', re.IGNORECASE
)


class Path(NamedTuple):
    """What an operation is about: an attribute, some of its values, and a part of these."""

    attribute: str
    conditions: Json  # By part, what it must equal; empty for all values.
    part: str | None


class Operation(NamedTuple):
    verb: Verb
    path: str | None
    value: Any


class PathNotUnderstood(Exception):
    """The path is none, or has a filter beyond `and` and `eq`."""


class NothingNamed(Exception):
    """A removal without a path, or a value without a path that is no object."""


def changed(resource: Json, operations: list[Operation]) -> Json:
    """Return the resource after the operations, in their order.

    Attributes that we do not keep are passed over, as in the body of a PUT.
    Raises PathNotUnderstood, NothingNamed.
    """
    result = deepcopy(resource)
    for operation in operations:
        for path, value in _single(operation):
            found = parse_path(path)
            if found is not None:
                _apply(result, operation.verb, found, value)
    return result


def parse_path(text: str) -> Path | None:
    """Return what a path means, None where it is of something that we do not keep.

    Raises PathNotUnderstood.
    """
    plain = _CORE.sub("", text.strip(), count=1)
    if plain.lower().startswith("urn:"):
        return None
    found = _PATH.fullmatch(plain)
    if found is None:
        raise PathNotUnderstood
    attribute = USER_ATTRIBUTES.get(found["attribute"].lower())
    if attribute is None:
        return None
    part = _PARTS.get(found["part"].lower()) if found["part"] else None
    if found["part"] and part is None:
        return None
    return Path(attribute, _conditions(found["filter"]), part)


def _single(operation: Operation) -> Iterator[tuple[str, Any]]:
    """Return the paths of an operation with their values; without a path, those of its value."""
    if operation.path:
        yield operation.path, operation.value
    elif operation.verb == "remove" or not isinstance(operation.value, dict):
        raise NothingNamed
    else:
        yield from operation.value.items()


def _conditions(text: str | None) -> Json:
    conditions: Json = {}
    for one in re.split(r"\s+and\s+", text, flags=re.IGNORECASE) if text else ():
        found = _CONDITION.fullmatch(one)
        if found is None:
            raise PathNotUnderstood
        part = _PARTS.get(found["part"].lower(), found["part"])
        try:
            conditions[part] = json.loads(
                found["value"] if found["value"][0] == '"' else found["value"].lower()
            )
        except ValueError:
            raise PathNotUnderstood from None
    return conditions


def _apply(resource: Json, verb: Verb, path: Path, value: Any) -> None:  # noqa: ANN401 - any JSON value.
    if path.attribute in _LISTS:
        _apply_to_list(resource, verb, path, value)
    elif path.attribute in _OBJECTS:
        _apply_to_object(resource, verb, path, value)
    elif path.part is not None or path.conditions:
        raise PathNotUnderstood
    elif verb == "remove" or value is None:
        resource.pop(path.attribute, None)
    else:
        resource[path.attribute] = value


def _apply_to_object(resource: Json, verb: Verb, path: Path, value: Any) -> None:  # noqa: ANN401 - same.
    if path.conditions:
        raise PathNotUnderstood
    if path.part is None and verb == "remove":
        resource.pop(path.attribute, None)
        return
    given = {path.part: value} if path.part is not None else value
    if not isinstance(given, dict):
        raise NothingNamed
    target = resource.setdefault(path.attribute, {})
    for part, one in _named(given).items():
        if verb == "remove" or one is None:
            target.pop(part, None)
        else:
            target[part] = one


def _apply_to_list(resource: Json, verb: Verb, path: Path, value: Any) -> None:  # noqa: ANN401 - same.
    values: list[Json] = resource.setdefault(path.attribute, [])
    chosen = [one for one in values if _fits(one, path.conditions)]
    if path.part is None and verb == "remove":
        resource[path.attribute] = [one for one in values if one not in chosen]
    elif path.part is None and not path.conditions:
        given = [_named(one) for one in _listed(value)]
        kept = [] if verb == "replace" else [one for one in values if one not in given]
        if any(one.get("primary") for one in given):  # There is one primary value (RFC 7643, 2.4).
            kept = [one | {"primary": False} if one.get("primary") else one for one in kept]
        resource[path.attribute] = kept + given
    else:
        change = {path.part: value} if path.part is not None else value
        if not isinstance(change, dict):
            raise NothingNamed
        if not chosen and verb != "remove":
            chosen = [dict(path.conditions)]
            values += chosen
        for one in chosen:
            for part, new in _named(change).items():
                if verb == "remove" or new is None:
                    one.pop(part, None)
                else:
                    one[part] = new


def _fits(value: Json, conditions: Json) -> bool:
    """Say whether a value is one of those that the conditions choose; case tells none apart."""
    return all(_folded(value.get(part)) == _folded(wanted) for part, wanted in conditions.items())


def _folded(value: Any) -> Any:  # noqa: ANN401 - same.
    return value.casefold() if isinstance(value, str) else bool(value)


def _named(given: Json) -> Json:
    return {_PARTS.get(part.lower(), part): one for part, one in given.items()}


def _listed(value: Any) -> list[Json]:  # noqa: ANN401 - same.
    given = value if isinstance(value, list) else [value]
    if not all(isinstance(one, dict) for one in given):
        raise NothingNamed
    return given
