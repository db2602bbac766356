from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from services.inventory.attributes.errors import AttributeSchemaInvalid, ItemsBreakSchema
from services.inventory.categories import service
from services.inventory.categories.errors import (
    CategoryAmbiguous,
    CategoryInItself,
    CategoryInUse,
    CategoryNameTaken,
    CategoryNotFound,
)
from services.inventory.categories.schemas import (
    CategoryCreate,
    CategoryPage,
    CategoryQuery,
    CategoryRead,
    CategoryUpdate,
)
from services.inventory.freezes.errors import Frozen
from shared.pagination import InvalidCursor
from shared.principal import Principal
from shared.web import Language, Now, Session, feature_router, problems, requires
from shared.web.etag import IfMatch

router = feature_router("/api/categories", "categories")

CanRead = Annotated[Principal, Depends(requires("inventory:read", by_location=True))]
CanWrite = Annotated[Principal, Depends(requires("inventory:write"))]


@router.get("", responses=problems(InvalidCursor))
async def list_categories(
    session: Session,
    _caller: CanRead,
    query: Annotated[CategoryQuery, Query()],
    language: Language,
) -> CategoryPage:
    """List categories.

    By name; `parent_id` tells the tree.
    """
    return await service.list_categories(session, query, language=language)


@router.post(
    "",
    status_code=201,
    responses=problems(
        CategoryNotFound, CategoryAmbiguous, CategoryNameTaken, AttributeSchemaInvalid, Frozen
    ),
)
async def add_category(
    body: CategoryCreate, session: Session, _caller: CanWrite, now: Now, language: Language
) -> CategoryRead:
    """Add a category.

    At the top of the tree, or in another one.
    """
    category = await service.add_category(session, body, now=now)
    return service.to_read(category, language)


@router.get("/{category_id:uuid}", responses=problems(CategoryNotFound))
async def get_category(
    category_id: UUID, session: Session, _caller: CanRead, language: Language
) -> CategoryRead:
    """Read a category."""
    category = await service.get_category(session, category_id)
    return service.to_read(category, language)


@router.patch(
    "/{category_id:uuid}",
    responses=problems(
        CategoryNotFound,
        CategoryAmbiguous,
        CategoryInItself,
        CategoryNameTaken,
        AttributeSchemaInvalid,
        ItemsBreakSchema,
        Frozen,
    ),
)
async def change_category(
    category_id: UUID,
    body: CategoryUpdate,
    session: Session,
    _caller: CanWrite,
    now: Now,
    language: Language,
    if_match: IfMatch = None,
) -> CategoryRead:
    """Change a category.

    Renames it, or moves it with all that lies in it.
    """
    category = await service.change_category(session, category_id, body, if_match, now=now)
    return service.to_read(category, language)


@router.delete(
    "/{category_id:uuid}",
    status_code=204,
    responses=problems(CategoryNotFound, CategoryInUse, Frozen),
)
async def remove_category(
    category_id: UUID, session: Session, _caller: CanWrite, if_match: IfMatch = None
) -> None:
    """Remove a category.

    It must hold neither items nor other categories.
    """
    await service.remove_category(session, category_id, if_match)
