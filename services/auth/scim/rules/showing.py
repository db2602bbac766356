"""Which attributes of a resource a client wants to see (RFC 7644, 3.9)."""

from collections.abc import Iterable
from typing import Any, Final

Json = dict[str, Any]

_ALWAYS: Final = frozenset({"schemas", "id"})


def names_in(text: str | None) -> frozenset[str]:
    """Return the attributes of a list such as `userName,name.givenName`, in lower case."""
    if not text:
        return frozenset()
    return frozenset(_plain(name) for name in text.split(",") if name.strip())


def wants(attribute: str, *, wanted: frozenset[str], unwanted: frozenset[str]) -> bool:
    """Say whether an attribute is to be shown; of one that is, `shown` cuts off parts."""
    name = attribute.lower()
    if wanted:
        return any(one == name or one.startswith(f"{name}.") for one in wanted)
    return name not in unwanted


def shown(resource: Json, *, wanted: frozenset[str], unwanted: frozenset[str]) -> Json:
    """Return the resource with what is wanted, or without what is not; its id stays always."""
    result: Json = {}
    for name, value in resource.items():
        if name in _ALWAYS:
            result[name] = value
        elif wants(name, wanted=wanted, unwanted=unwanted):
            part_of = f"{name.lower()}."
            chosen = {one.removeprefix(part_of) for one in wanted if one.startswith(part_of)}
            left_out = {one.removeprefix(part_of) for one in unwanted if one.startswith(part_of)}
            only = chosen if name.lower() not in wanted else set()
            result[name] = _cut(value, only, left_out)
    return result


def _cut(value: Any, only: Iterable[str], left_out: Iterable[str]) -> Any:  # noqa: ANN401 - any JSON value.
    if isinstance(value, list):
        return [_cut(one, only, left_out) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        part: one
        for part, one in value.items()
        if (not only or part.lower() in only) and part.lower() not in left_out
    }


def _plain(name: str) -> str:
    """Return an attribute's name in lower case, without the URN of its schema."""
    return name.strip().rpartition(":")[2].lower()
