"""Cursors that no list gave, sent to every list of a service."""

import base64
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from typing import Any
from uuid import UUID

import httpx
import orjson
from fastapi import FastAPI

from shared.pagination import InvalidCursor, Keyset

RIGHT = {
    str: "A1", int: 7, UUID: UUID(int=7), datetime: datetime(2026, 1, 1, tzinfo=UTC),
    Decimal: Decimal("1.5"),
}  # fmt: skip
# For each type, what is none of its values or none that a database can compare.
WRONG = {
    str: ["\x00", "a\x00b"],
    int: ["", "x", "1.5", "-", str(2**63), "9" * 40],
    UUID: ["", "x", "0" * 32, "00000000-0000-0000-0000-00000000000g"],
    datetime: ["", "yesterday", "2026-01-01T00:00:00", "-infinity", "0001-01-01T00:00:00+14:00"],
    Decimal: ["", "x", "NaN", "Infinity", "1E+999999"],
}
GARBAGE = ["", "x", "====", "bm90IGpzb24", "W" * 1000]


def keysets(package: str) -> list[Keyset[Any]]:
    """The orders that a service's lists have: each is a constant, or of a constant mapping."""
    root = import_module(package)
    names = [module.name for module in pkgutil.walk_packages(root.__path__, f"{package}.")]
    modules = [import_module(name) for name in names if not name.endswith("__main__")]
    constants = [value for module in modules for value in vars(module).values()]
    constants += [v for value in constants if isinstance(value, dict) for v in value.values()]
    return list({id(value): value for value in constants if isinstance(value, Keyset)}.values())


def forged(sort: str, values: list[object]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([sort, *values])).rstrip(b"=").decode()


def tampered(keyset: Keyset[Any]) -> Iterator[str]:
    """Cursors of this order with one value that its list cannot have written."""
    texts = orjson.loads(_unpadded(keyset.cursor(tuple(RIGHT[kind] for kind in keyset.types))))[1:]
    for place, kind in enumerate(keyset.types):
        for wrong in (*WRONG[kind], 7, None, ["a"]):
            yield forged(keyset.sort, [*texts[:place], wrong, *texts[place + 1 :]])
    yield forged(keyset.sort, texts[1:])
    yield forged(keyset.sort, [*texts, "more"])


def lists_of(app: FastAPI) -> list[str]:
    """The paths of a service that give pages."""
    return [
        path
        for path, operations in app.openapi()["paths"].items()
        for parameter in operations.get("get", {}).get("parameters", ())
        if parameter["name"] == "cursor"
    ]


async def assert_no_list_takes_a_tampered_cursor(
    app: FastAPI, client: httpx.AsyncClient, headers: dict[str, str], **known: str
) -> None:
    """Assert that each list refuses what it did not write, and that none fails over it.

    `known` fills in the parameters of paths. A list shows which orders are its own by taking a
    cursor of them.
    """
    package = f"services.{app.title.lower()}"
    paths = [path.format(**known) for path in lists_of(app)]
    orders = {f"{k.sort} {k.types}": k for k in keysets(package)}.values()

    async def ask(path: str, cursor: str) -> httpx.Response:
        return await client.get(path, params={"cursor": cursor}, headers=headers)

    for path in paths:
        own = [
            keyset
            for keyset in orders
            if (await ask(path, keyset.cursor(tuple(RIGHT[t] for t in keyset.types)))).is_success
        ]
        assert own, f"{path} takes no cursor at all"
        for cursor in (*GARBAGE, *(cursor for keyset in own for cursor in tampered(keyset))):
            response = await ask(path, cursor)
            assert response.status_code == InvalidCursor.status, (path, cursor, response.text)


def _unpadded(cursor: str) -> bytes:
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
