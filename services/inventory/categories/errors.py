"""What is refused about categories, and why."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Conflict, NotFound, Unprocessable
from shared.i18n import N_


@dataclass(eq=False)
class CategoryNotFound(NotFound):
    """No category has this id or name. List the categories, or add it."""

    slug: ClassVar[str] = "category-not-found"
    title: ClassVar[str] = N_("Category not found")
    detail: ClassVar[str] = N_("There is no category {category}. Check the name, or have it added.")
    category: str


@dataclass(eq=False)
class CategoryAmbiguous(Unprocessable):
    """Several categories in different places have this name. Give the id of the one meant."""

    slug: ClassVar[str] = "category-ambiguous"
    title: ClassVar[str] = N_("Several categories have this name")
    detail: ClassVar[str] = N_("Give the id of the category {category} that is meant.")
    category: str
    candidates: list[str]


@dataclass(eq=False)
class CategoryNameTaken(Conflict):
    """A sibling has this name in one of the languages. Choose another name or parent."""

    slug: ClassVar[str] = "category-name-taken"
    title: ClassVar[str] = N_("Name already used")
    detail: ClassVar[str] = N_("Another category there is called {category}. Choose another name.")
    category: str


@dataclass(eq=False)
class CategoryInUse(Conflict):
    """The category holds items, retired ones too, or other categories. Move these first."""

    slug: ClassVar[str] = "category-in-use"
    title: ClassVar[str] = N_("Category in use")
    detail: ClassVar[str] = N_(
        "The category contains items or other categories. Move these out first."
    )


@dataclass(eq=False)
class CategoryInItself(Unprocessable):
    """A category cannot lie in itself or in what lies in it. Choose another parent."""

    slug: ClassVar[str] = "category-in-itself"
    title: ClassVar[str] = N_("Category in itself")
    detail: ClassVar[str] = N_(
        "A category cannot lie in itself or in what lies in it. Choose another parent."
    )
