"""What inventory journals of categories."""

from typing import Any, ClassVar
from uuid import UUID

from shared.journal import Entry


class CategorySaved(Entry):
    """A category as it stands after it was added, renamed or moved; what lies in it moves along."""

    name: ClassVar[str] = "inventory.category-saved.v1"
    subject_of: ClassVar[tuple[str, str]] = ("category", "category_id")
    category_id: UUID
    name_en: str
    name_fr: str
    parent_id: UUID | None
    attribute_schema: dict[str, Any] | None = None


class CategoryRemoved(Entry):
    """A category that held nothing and was taken away."""

    name: ClassVar[str] = "inventory.category-removed.v1"
    subject_of: ClassVar[tuple[str, str]] = ("category", "category_id")
    category_id: UUID
    name_en: str
    name_fr: str
