"""The operations that the merged OpenAPI document offers, as attacks need them."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """One operation; `scope` is None where any signed-in caller will do."""

    method: str
    path: str
    is_public: bool
    is_declared: bool
    scope: str | None
    enrolling: bool
    parameters: tuple[str, ...]  # Of the path.
    queries: tuple[str, ...]
    body: Json | None  # The schema of the body.
    example: Any  # A body that is valid in form.

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_for_directories(self) -> bool:
        """Say whether a directory calls it, by a key of its own, and no person."""
        return self.scope == "user:provision"

    def at(self, values: dict[str, str]) -> str:
        """Return the path with these values of its parameters."""
        path = self.path
        for parameter in self.parameters:
            path = path.replace(f"{{{parameter}}}", values[parameter])
        return path


class Document:
    """A merged OpenAPI document."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self.operations = tuple(self._operations())

    def resolved(self, schema: Json) -> Json:
        """Return a schema itself, where it is only named."""
        while "$ref" in schema:
            schema = self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        for choice in schema.get("anyOf", ()):
            if choice.get("type") != "null":
                return self.resolved(choice)
        return schema

    def _operations(self) -> Iterator[Operation]:
        for path, methods in self._document["paths"].items():
            for method, told in methods.items():
                yield self._operation(method, path, told)

    def _operation(self, method: str, path: str, told: Json) -> Operation:
        security = told.get("security")
        scopes = [scope for one in security or () for scope in one.get("bearer", ())]
        content = told.get("requestBody", {}).get("content", {}).get("application/json")
        body = None if content is None else self.resolved(content["schema"])
        named = told.get("parameters", ())
        return Operation(
            method=method.upper(),
            path=path,
            is_public=security == [],
            is_declared=security is not None,
            scope=scopes[0] if scopes else None,
            enrolling="An enrolment token will do." in told.get("description", ""),
            parameters=tuple(p["name"] for p in named if p["in"] == "path"),
            queries=tuple(p["name"] for p in named if p["in"] == "query"),
            body=body,
            example=None if body is None else self._example(body),
        )

    def _example(self, schema: Json) -> Any:
        if schema.get("examples"):
            return deepcopy(schema["examples"][0])
        return {
            name: deepcopy(field.get("examples") or self.resolved(field).get("examples"))[0]
            for name, field in schema.get("properties", {}).items()
            if field.get("examples") or self.resolved(field).get("examples")
        }


def objects_in(body: Any) -> Iterator[tuple[tuple[str | int, ...], Json]]:
    """Give each object in a body with where it lies, the body itself first."""
    if isinstance(body, dict):
        yield (), body
        for name, value in body.items():
            yield from (((name, *where), found) for where, found in objects_in(value))
    elif isinstance(body, list):
        for place, value in enumerate(body):
            yield from (((place, *where), found) for where, found in objects_in(value))


def with_field(body: Any, where: tuple[str | int, ...], name: str, value: Any) -> Any:
    """Return a copy of a body with a field in the object that lies there."""
    copied = deepcopy(body)
    found = copied
    for step in where:
        found = found[step]
    found[name] = value
    return copied
