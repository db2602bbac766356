from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from services.inventory.attributes.schemas import AttributeSchema
from shared.identifiers import one_spaced, require_no_id, require_visible
from shared.pagination import PageQuery
from shared.schemas import (
    Input,
    LocalisedName,
    Output,
    Page,
    Update,
    in_english,
    keeps_languages,
)

CATEGORY_NAME_LENGTH_MAX = 200

CategoryName = Annotated[
    str,
    Field(min_length=1, max_length=CATEGORY_NAME_LENGTH_MAX),
    BeforeValidator(one_spaced),
    AfterValidator(require_visible),
    AfterValidator(require_no_id),
]
CategoryReference = Annotated[
    str,
    Field(
        min_length=1,
        max_length=CATEGORY_NAME_LENGTH_MAX,
        description="Name, in either language, or id of a category.",
        examples=["Pasta"],
    ),
    BeforeValidator(one_spaced),
    AfterValidator(require_visible),
]


class CategoryNames(LocalisedName):
    """A name in one or both languages; the one given stands for the other until that is given."""

    en: CategoryName | None = None
    fr: CategoryName | None = None


NamesOfCategory = Annotated[
    CategoryNames,
    BeforeValidator(in_english, json_schema_input_type=CategoryNames | CategoryName),
    Field(
        description="In one or both languages; a text alone is English. No sibling has it.",
        examples=[{"en": "Pasta", "fr": "Pâtes"}],
    ),
]


class CategoryCreate(Input):
    """A new category."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": {"en": "Pasta", "fr": "Pâtes"}}]}
    )

    name: NamesOfCategory
    parent: CategoryReference | None = Field(default=None, description="None is at the top.")
    attribute_schema: AttributeSchema | None = None


class CategoryUpdate(Update):
    """A change of a category: the fields given are set, the others stay; so do languages."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"parent": None}]})

    clearable: ClassVar[frozenset[str]] = frozenset({"parent", "attribute_schema"})

    name: Annotated[NamesOfCategory | None, AfterValidator(keeps_languages)] = None
    parent: CategoryReference | None = Field(default=None, description="Null moves it to the top.")
    attribute_schema: AttributeSchema | None = None


class CategoryRead(Output):
    """A category of items."""

    id: UUID
    name: str = Field(description="In the language of the answer.", examples=["Pasta"])
    names: dict[str, str] = Field(examples=[{"en": "Pasta", "fr": "Pâtes"}])
    parent_id: UUID | None
    attribute_schema: dict[str, Any] | None = Field(
        description="Its own; null where that of the category above it holds, if any.",
        examples=[None],
    )
    version: int
    created_at: datetime
    updated_at: datetime


class CategoryQuery(PageQuery):
    """Which page of the categories to list."""


class CategoryPage(Page[CategoryRead]): ...
