from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession


async def find_schema(session: AsyncSession, category_id: UUID) -> RowMapping | None:
    """Return the nearest schema at or above a category, and the names of whose it is."""
    return (await session.execute(_SCHEMA, {"id": category_id})).mappings().first()


async def list_attributes(session: AsyncSession, category_id: UUID) -> Sequence[RowMapping]:
    """Return the attributes of the items that a category's schema holds for, each kind once.

    With the number of such items, and the first of their codes.
    """
    rows: Sequence[RowMapping] = (
        (await session.execute(_ATTRIBUTES, {"id": category_id})).mappings().all()
    )
    return rows


_SCHEMA = text("""
    WITH RECURSIVE above AS (
        SELECT id, parent_id, attribute_schema, name_en, name_fr FROM categories WHERE id = :id
        UNION ALL
        SELECT c.id, c.parent_id, c.attribute_schema, c.name_en, c.name_fr
        FROM categories c JOIN above a ON c.id = a.parent_id WHERE a.attribute_schema IS NULL
    )
    SELECT attribute_schema AS schema, coalesce(name_en, name_fr) AS category FROM above
    WHERE attribute_schema IS NOT NULL""")
_ATTRIBUTES = text("""
    WITH RECURSIVE within AS (
        SELECT id FROM categories WHERE id = :id
        UNION
        SELECT c.id FROM categories c JOIN within w ON c.parent_id = w.id
        WHERE c.attribute_schema IS NULL
    )
    SELECT attributes, count(*) AS items, min(code) AS code FROM items
    WHERE category_id = ANY(ARRAY(SELECT id FROM within)) GROUP BY attributes""")
