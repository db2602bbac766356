"""Finding the route of a request by one look-up, however many routes there are.

FastAPI tries one route after the other, and those of an included router twice. Here a request
walks its path's segments through a tree that is made once from the same routes: what it costs
depends on the path alone, and where two routes fit, a fixed segment wins over a parameter and a
narrow parameter (`{id:uuid}`) over a wide one, in whichever order the routers stand.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from fastapi.routing import APIRouter, RouteContext, iter_route_contexts
from starlette.convertors import PathConvertor, UUIDConvertor
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.identifiers import IdNeeded

_PARAMETER = re.compile(r"\{(\w+)(?::(\w+))?\}")
_ANY_SEGMENT = "[^/]+"
GIVEN_SHOWN = 100  # Characters of what a client gave for an id.


@dataclass(frozen=True, slots=True)
class Target:
    """A route as it is called: the application behind it, and what it wants to find in scope."""

    route: BaseRoute
    app: ASGIApp
    endpoint: Any
    parameters: tuple[tuple[str, Any], ...]  # Names in the order of the path, with convertors.

    def path_params(self, values: Iterable[str]) -> dict[str, Any]:
        return {
            name: convertor.convert(value)
            for (name, convertor), value in zip(self.parameters, values, strict=True)
        }


@dataclass(slots=True)
class _Node:
    """A place in the tree: what follows it, and the routes whose path ends here, by method."""

    fixed: dict[str, "_Node"] = field(default_factory=dict)
    parameters: dict[str, tuple[re.Pattern[str], "_Node"]] = field(default_factory=dict)
    targets: dict[str, Target] = field(default_factory=dict)


class RouteLookup:
    """Stands in for a router's own way to find a route; all else stays the router's.

    Routes of another kind (mounts, WebSockets, a parameter that is part of a segment or takes in
    several) are left to the router, which is asked when nothing is found here.
    """

    def __init__(
        self, router: APIRouter, ids: Mapping[str, type[IdNeeded]] = MappingProxyType({})
    ) -> None:
        self._router = router
        self._ids = ids  # How it is told that an id is needed, by the name of the parameter.
        self._root: _Node | None = None
        self._has_others = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope.get("root_path"):
            await self._router.app(scope, receive, send)
            return
        method = scope["method"]
        first: tuple[_Node, tuple[str, ...]] | None = None
        for node, values in self.reached(scope["path"]):
            target = node.targets.get(method)
            if target is not None:
                self._select(scope, target, values)
                await target.app(scope, receive, send)
                return
            first = first or (node, values)
        if self._has_others:
            await self._router.app(scope, receive, send)
        elif first is None:
            self._refuse_misnamed(scope["path"])
            await self._router.default(scope, receive, send)
        else:
            node, values = first
            self._select(scope, next(iter(node.targets.values())), values)
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(node.targets))})

    def _refuse_misnamed(self, path: str) -> None:
        """Raise IdNeeded if some path is like this one, but for an id where this has none."""
        segments = path.split("/")
        for node, values in _reached(self._grown_root(), segments, 1, any_id=True):
            target = next(iter(node.targets.values()))
            for (name, convertor), value in zip(target.parameters, values, strict=True):
                is_id = isinstance(convertor, UUIDConvertor)
                if is_id and re.fullmatch(convertor.regex, value) is None:
                    raise self._ids.get(name, IdNeeded).of(name, value[:GIVEN_SHOWN])

    def reached(self, path: str) -> Iterator[tuple[_Node, tuple[str, ...]]]:
        """Return the places that a path leads to, the most exact first, with its parameters."""
        segments = path.split("/")
        return _reached(self._grown_root(), segments, 1) if not segments[0] else iter(())

    def _grown_root(self) -> _Node:
        if self._root is None:  # At the first request all routes are there.
            self._root = self._grown()
        return self._root

    def _select(self, scope: Scope, target: Target, values: tuple[str, ...]) -> None:
        scope["router"] = self._router
        scope["route"] = target.route
        scope["endpoint"] = target.endpoint
        scope["path_params"] = target.path_params(values)

    def _grown(self) -> _Node:
        root = _Node()
        for context in iter_route_contexts(self._router.routes):
            if not _place(root, context):
                self._has_others = True
        _sort(root)
        return root


def _reached(
    node: _Node, segments: list[str], at: int, *, any_id: bool = False
) -> Iterator[tuple[_Node, tuple[str, ...]]]:
    """Return where these segments lead to; with `any_id` also if what is to be an id is none."""
    if at == len(segments):
        if node.targets:
            yield node, ()
        return
    segment = segments[at]
    following = node.fixed.get(segment)
    if following is not None:
        yield from _reached(following, segments, at + 1, any_id=any_id)
    for pattern, behind in node.parameters.values():
        if pattern.fullmatch(segment) or (any_id and segment):
            for found, values in _reached(behind, segments, at + 1, any_id=any_id):
                yield found, (segment, *values)


def _place(root: _Node, context: RouteContext) -> bool:
    """Put a route into the tree; say whether it has a form that the tree can hold."""
    path, methods = context.path, context.methods
    if path is None or not methods:
        return False
    convertors = context.param_convertors
    node, names = root, []
    for segment in path.split("/")[1:]:
        parameter = _PARAMETER.fullmatch(segment)
        if parameter is None:
            if "{" in segment:
                return False
            node = node.fixed.setdefault(segment, _Node())
            continue
        name = parameter[1]
        if isinstance(convertors[name], PathConvertor):
            return False
        form = convertors[name].regex
        names.append(name)
        node = node.parameters.setdefault(form, (re.compile(form), _Node()))[1]
    target = Target(
        route=context.original_route,
        app=context.app,
        endpoint=context.endpoint,
        parameters=tuple((name, convertors[name]) for name in names),
    )
    for method in methods:
        node.targets.setdefault(method, target)
    return True


def _sort(node: _Node) -> None:
    """Let the parameter that takes any segment be tried last, here and below."""
    if _ANY_SEGMENT in node.parameters:
        node.parameters[_ANY_SEGMENT] = node.parameters.pop(_ANY_SEGMENT)
    for following in (*node.fixed.values(), *(behind for _, behind in node.parameters.values())):
        _sort(following)
