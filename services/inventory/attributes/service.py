"""Attributes of items, held to the schemas of their categories.

A category without a schema of its own has that of the nearest one above it. Whoever changes which
schema holds for which items locks the tree, whoever saves attributes holds it (`hold_tree`).
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.attributes import queries, rules
from services.inventory.attributes.errors import (
    AttributeSchemaInvalid,
    AttributesInvalid,
    ItemsBreakSchema,
)

NAMED_MAX = 20  # Of the items that break a schema.


def require_schema(schema: Mapping[str, Any] | None) -> None:
    """Raise AttributeSchemaInvalid unless it can be used as a schema; None is none."""
    part = None if schema is None else rules.fault_of_schema(schema)
    if part is not None:
        raise AttributeSchemaInvalid(part=part)


async def require_fit(
    session: AsyncSession, category_id: UUID | None, attributes: Mapping[str, Any]
) -> None:
    """Raise AttributesInvalid where attributes break the schema that holds in a category."""
    found = None if category_id is None else await queries.find_schema(session, category_id)
    if found is None:
        return
    faults = rules.faults_in(found["schema"], attributes)
    if faults:
        raise AttributesInvalid(category=found["category"], faults=faults)


async def require_items_fit(session: AsyncSession, category_id: UUID) -> None:
    """Raise ItemsBreakSchema where items break the schema that now holds in a category."""
    found = await queries.find_schema(session, category_id)
    if found is None:
        return
    schema, rows = found["schema"], await queries.list_attributes(session, category_id)
    broken = await asyncio.to_thread(
        lambda: [row for row in rows if not rules.fits(schema, row["attributes"])]
    )
    if broken:
        codes = sorted(row["code"] for row in broken)[:NAMED_MAX]
        raise ItemsBreakSchema(breaking=sum(row["items"] for row in broken), items=codes)
