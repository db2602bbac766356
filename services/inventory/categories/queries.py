from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, or_, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.categories.models import Category


async def find_category(session: AsyncSession, category_id: UUID) -> Category | None:
    return await session.get(Category, category_id)


async def lock_category(
    session: AsyncSession, category_id: UUID, *, against_use: bool = False
) -> Category | None:
    """Return the category, which nobody else changes until the transaction ends.

    Whoever puts an item or a category into it holds its row FOR KEY SHARE: that goes on beside an
    ordinary edit, but not beside a removal.
    """
    query = select(Category).where(Category.id == category_id)
    return await session.scalar(query.with_for_update(key_share=not against_use))


async def hold_category(session: AsyncSession, category_id: UUID) -> Category | None:
    """Return the category, which stays, and keeps its names, until the transaction ends."""
    query = select(Category).where(Category.id == category_id)
    return await session.scalar(query.with_for_update(read=True, key_share=True))


async def lock_tree(session: AsyncSession) -> None:
    """Let changes of one tenant's tree and schemas take turns: two moves could close a circle."""
    await session.execute(_LOCK_TREE)


async def hold_tree(session: AsyncSession) -> None:
    """Keep the tree and its schemas as they are until the transaction ends."""
    await session.execute(_HOLD_TREE)


async def is_within(session: AsyncSession, category_id: UUID, other_id: UUID) -> bool:
    """Say whether a category is another one or lies anywhere in it."""
    return bool(await session.scalar(_IS_WITHIN, {"id": category_id, "other": other_id}))


async def list_named(session: AsyncSession, key: str) -> Sequence[Category]:
    """Return the categories that have a name with this key in either language.

    They stay, and keep that name, until the transaction ends: what is named is put into them.
    """
    query = select(Category).where(or_(Category.key_en == key, Category.key_fr == key))
    held = query.order_by(Category.id).with_for_update(read=True, key_share=True)
    return (await session.scalars(held)).all()


async def add_unless_there(session: AsyncSession, category: Category) -> bool:
    """Write a new category at the top, and say whether it was new.

    Waits for whoever is about to take its name.
    """
    values = {
        "id": category.id,
        "name_en": category.name_en,
        "name_fr": category.name_fr,
        "key_en": category.key_en,
        "key_fr": category.key_fr,
        "version": category.version,
        "created_at": category.created_at,
        "updated_at": category.updated_at,
    }
    added = insert(Category).values(values).on_conflict_do_nothing().returning(Category.id)
    return await session.scalar(added) is not None


async def list_categories(
    session: AsyncSession, language: str, *, after: tuple[str, UUID] | None, limit: int
) -> Sequence[Category]:
    """Return categories in the order of their names in a language."""
    key: ColumnElement[str] = (Category.key_fr if language == "fr" else Category.key_en).expression
    query = select(Category).order_by(key, Category.id).limit(limit)
    if after is not None:
        query = query.where(tuple_(key, Category.id) > after)
    return (await session.scalars(query)).all()


async def rename_in_searches(session: AsyncSession, category_id: UUID, words: str) -> None:
    """Let searches find the items of a category by its new name."""
    await session.execute(_RENAME_IN_SEARCHES, {"id": category_id, "words": words})


async def list_items_saved(
    session: AsyncSession, category_id: UUID, name: str
) -> Sequence[RowMapping]:
    """Return the items in a category as ItemSaved tells them, with a name for the category."""
    rows = await session.execute(_ITEMS_SAVED, {"id": category_id, "name": name})
    return rows.mappings().all()


_ITEMS_SAVED = text("""
    SELECT i.id AS item_id, i.code, coalesce(i.name_en, i.name_fr) AS name_en,
           coalesce(i.name_fr, i.name_en) AS name_fr, array(
               SELECT barcode FROM identifiers n
               WHERE n.item_id = i.id AND barcode IS NOT NULL ORDER BY barcode COLLATE "C"
           ) AS barcodes, CAST(:name AS text) AS category, i.category_id, i.unit, ARRAY(
               SELECT p - 'key' || jsonb_build_object('barcodes', ARRAY(
                   SELECT barcode FROM identifiers n
                   WHERE n.item_id = i.id AND n.unit = p ->> 'key'
                   ORDER BY barcode COLLATE "C"
               )) FROM jsonb_array_elements(i.packs) p
           ) AS packs,
           trim_scale(i.pack_size) AS pack_size, i.pack_unit, trim_scale(i.par_level) AS par_level,
           trim_scale(i.reorder_point) AS reorder_point,
           trim_scale(i.reorder_quantity) AS reorder_quantity,
           trim_scale(i.maximum) AS maximum, i.lead_time_days,
           i.attributes, i.cost_id, i.active, ARRAY['category'] AS changed
    FROM items i WHERE i.category_id = :id ORDER BY i.id""")
_RENAME_IN_SEARCHES = text("""
    UPDATE items SET search_text = concat_ws(chr(31),
        split_part(search_text, chr(31), 1), split_part(search_text, chr(31), 2),
        split_part(search_text, chr(31), 3), CAST(:words AS text),
        split_part(search_text, chr(31), 5))
    WHERE category_id = :id""")
_LOCK_TREE = text("SELECT wait_lock('categories ' || current_setting('app.tenant', true))")
_HOLD_TREE = text("SELECT wait_lock_shared('categories ' || current_setting('app.tenant', true))")
_IS_WITHIN = text("""
    WITH RECURSIVE above AS (
        SELECT id, parent_id FROM categories WHERE id = :id
        UNION
        SELECT c.id, c.parent_id FROM categories c JOIN above a ON c.id = a.parent_id
    ) SELECT EXISTS (SELECT FROM above WHERE id = :other)""")
