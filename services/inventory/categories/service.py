"""Adding, moving and removing categories, and finding the one that is meant."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.attributes.service import require_items_fit, require_schema
from services.inventory.categories import queries
from services.inventory.categories.errors import (
    CategoryAmbiguous,
    CategoryInItself,
    CategoryInUse,
    CategoryNameTaken,
    CategoryNotFound,
)
from services.inventory.categories.models import Category
from services.inventory.categories.schemas import (
    CategoryCreate,
    CategoryPage,
    CategoryQuery,
    CategoryRead,
    CategoryUpdate,
)
from services.inventory.freezes import service as freezes
from shared import journal
from shared.contracts.inventory.categories import CategoryRemoved, CategorySaved
from shared.contracts.inventory.items import ItemSaved
from shared.db.conflicts import conflicts
from shared.etag import require_match
from shared.i18n.folding import folded
from shared.i18n.localised import said_in
from shared.identifiers import find_id, identifier_key
from shared.ids import new_id
from shared.pagination import Keyset

_BY_NAME = {
    "en": Keyset("name-en", str, UUID),
    "fr": Keyset("name-fr", str, UUID),
}


async def add_category(session: AsyncSession, wanted: CategoryCreate, *, now: datetime) -> Category:
    """Add a category.

    Raises CategoryNotFound (the parent), CategoryAmbiguous, CategoryNameTaken,
    AttributeSchemaInvalid, Frozen.
    """
    await freezes.require_thawed(session)
    require_schema(wanted.attribute_schema)
    parent = await get_named_category(session, wanted.parent) if wanted.parent else None
    category = _new(wanted.name.en, wanted.name.fr, parent, now)
    category.attribute_schema = wanted.attribute_schema
    session.add(category)
    await _save(session, category)
    return category


async def change_category(
    session: AsyncSession,
    category_id: UUID,
    wanted: CategoryUpdate,
    if_match: str | None,
    *,
    now: datetime,
) -> Category:
    """Rename a category, or move it with all that lies in it.

    Raises CategoryNotFound, PreconditionFailed, CategoryAmbiguous, CategoryInItself,
    CategoryNameTaken, AttributeSchemaInvalid, ItemsBreakSchema, Frozen.
    """
    await freezes.require_thawed(session)
    moves = "parent" in wanted.model_fields_set
    fits_anew = moves or "attribute_schema" in wanted.model_fields_set
    if fits_anew:
        require_schema(wanted.attribute_schema)
    if wanted.model_fields_set:  # A rename too: it writes to the items, whose edits hold the tree.
        await queries.lock_tree(session)
    category = await _lock(session, category_id)
    require_match(if_match, category.version)
    if not wanted.model_fields_set:
        return category
    if moves:  # Looked for before anything is changed: whatever is asked then writes that first.
        category.parent_id = await _new_parent(session, category, wanted.parent)
    if wanted.name is not None:
        given = wanted.name.model_fields_set
        category.name_en = wanted.name.en if "en" in given else category.name_en
        category.name_fr = wanted.name.fr if "fr" in given else category.name_fr
        _set_keys(category)
    if "attribute_schema" in wanted.model_fields_set:
        category.attribute_schema = wanted.attribute_schema
    category.version += 1
    category.updated_at = now
    await _save(session, category)
    if wanted.name is not None:
        await _rename_for_items(session, category)
    if fits_anew:
        await require_items_fit(session, category.id)
    return category


async def remove_category(session: AsyncSession, category_id: UUID, if_match: str | None) -> None:
    """Remove a category that holds nothing.

    Raises CategoryNotFound, PreconditionFailed, CategoryInUse, Frozen.
    """
    await freezes.require_thawed(session)
    category = await _lock(session, category_id, against_use=True)
    require_match(if_match, category.version)
    await session.delete(category)
    in_use = CategoryInUse()
    with conflicts({"items_in_category": in_use, "categories_parent": in_use}):
        await session.flush()  # The database knows whether items or categories refer to it.
    journal.record(
        session,
        CategoryRemoved(
            category_id=category.id,
            name_en=name_of(category, "en"),
            name_fr=name_of(category, "fr"),
        ),
    )


async def hold_tree(session: AsyncSession) -> None:
    """Keep the categories' names and schemas as they are; before any item is locked."""
    await queries.hold_tree(session)


async def get_category(session: AsyncSession, category_id: UUID) -> Category:
    """Return the category. Raises CategoryNotFound."""
    category = await queries.find_category(session, category_id)
    if category is None:
        raise CategoryNotFound(category=str(category_id))
    return category


async def find_category(session: AsyncSession, category_id: UUID) -> Category | None:
    """Return the category, if there is one."""
    return await queries.find_category(session, category_id)


async def get_named_category(session: AsyncSession, name: str) -> Category:
    """Return the category that a text names: an id, or a name in either language.

    Raises CategoryNotFound, CategoryAmbiguous.
    """
    category = await _find_named(session, name)
    if category is None:
        raise CategoryNotFound(category=name)
    return category


async def get_or_add_category(session: AsyncSession, name: str, *, now: datetime) -> Category:
    """Return the category that a text names; a name that is new becomes a category at the top.

    Raises CategoryNotFound (an id), CategoryAmbiguous.
    """
    category = await _find_named(session, name)
    if category is not None:
        return category
    category = _new(name, None, None, now)
    if not await queries.add_unless_there(session, category):
        return await get_named_category(session, name)
    _tell(session, category)
    return await get_category(session, category.id)


async def list_categories(
    session: AsyncSession, wanted: CategoryQuery, *, language: str
) -> CategoryPage:
    """Return one page of categories by their names in a language. Raises InvalidCursor."""
    order = _BY_NAME[language]
    rows = await queries.list_categories(
        session, language, after=order.after(wanted.cursor), limit=wanted.limit + 1
    )
    page, next_cursor = order.page(
        rows, wanted.limit, lambda row: (row.key_fr if language == "fr" else row.key_en, row.id)
    )
    return CategoryPage(items=[to_read(row, language) for row in page], next_cursor=next_cursor)


def to_read(category: Category, language: str) -> CategoryRead:
    return CategoryRead(
        id=category.id,
        name=name_of(category, language),
        names={each: name_of(category, each) for each in ("en", "fr")},
        parent_id=category.parent_id,
        attribute_schema=category.attribute_schema,
        version=category.version,
        created_at=category.created_at,
        updated_at=category.updated_at,
    )


def name_of(category: Category, language: str) -> str:
    """Return a category's name in a language."""
    return said_in(language, category.name_en, category.name_fr)


def search_words(category: Category) -> str:
    """Return what a search for the items of a category looks at."""
    return " ".join(folded(name_of(category, each)) for each in ("en", "fr"))


async def _find_named(session: AsyncSession, name: str) -> Category | None:
    category_id = find_id(name)
    if category_id is not None:
        category = await queries.hold_category(session, category_id)
        if category is None:
            raise CategoryNotFound(category=name)
        return category
    found = await queries.list_named(session, identifier_key(name))
    if len(found) > 1:
        raise CategoryAmbiguous(category=name, candidates=[str(each.id) for each in found])
    return found[0] if found else None


async def _lock(session: AsyncSession, category_id: UUID, *, against_use: bool = False) -> Category:
    category = await queries.lock_category(session, category_id, against_use=against_use)
    if category is None:
        raise CategoryNotFound(category=str(category_id))
    return category


async def _new_parent(session: AsyncSession, category: Category, name: str | None) -> UUID | None:
    if name is None:
        return None
    parent = await get_named_category(session, name)
    if await queries.is_within(session, parent.id, category.id):
        raise CategoryInItself
    return parent.id


def _new(
    english: str | None, french: str | None, parent: Category | None, now: datetime
) -> Category:
    category = Category(
        id=new_id(),
        name_en=english,
        name_fr=french,
        parent_id=parent.id if parent else None,
        version=1,
        created_at=now,
        updated_at=now,
    )
    _set_keys(category)
    return category


def _set_keys(category: Category) -> None:
    category.key_en = identifier_key(name_of(category, "en"))
    category.key_fr = identifier_key(name_of(category, "fr"))


async def _save(session: AsyncSession, category: Category) -> None:
    """Write the category now: the database knows of a name taken or a parent gone meanwhile."""
    _tell(session, category)
    broken = {
        "categories_name_en": CategoryNameTaken(category=name_of(category, "en")),
        "categories_name_fr": CategoryNameTaken(category=name_of(category, "fr")),
        "categories_parent": CategoryNotFound(category=str(category.parent_id)),
    }
    with conflicts(broken):
        await session.flush()


async def _rename_for_items(session: AsyncSession, category: Category) -> None:
    """Let searches and followers know each item of a category by the category's new name."""
    await queries.rename_in_searches(session, category.id, search_words(category))
    rows = await queries.list_items_saved(session, category.id, name_of(category, "en"))
    await journal.record_many(session, [ItemSaved.model_validate(row) for row in rows])


def _tell(session: AsyncSession, category: Category) -> None:
    journal.record(
        session,
        CategorySaved(
            category_id=category.id,
            name_en=name_of(category, "en"),
            name_fr=name_of(category, "fr"),
            parent_id=category.parent_id,
            attribute_schema=category.attribute_schema,
        ),
    )
