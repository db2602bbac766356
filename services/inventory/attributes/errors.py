"""What is refused about attributes and their schemas, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass
from typing import Any, ClassVar

from shared.errors import Conflict, Unprocessable
from shared.i18n import N_, NP_
from shared.i18n.validation import validation_errors


@dataclass(eq=False)
class AttributeSchemaInvalid(Unprocessable):
    """An attribute schema breaks the rules at `part`: JSON Schema 2020-12 without references.

    Patterns have no look-around and no back-references.
    """

    slug: ClassVar[str] = "attribute-schema-invalid"
    title: ClassVar[str] = N_("Not a schema for attributes")
    detail: ClassVar[str] = N_(
        "The attribute schema cannot be used at {part}. Write it in JSON Schema 2020-12, without "
        "references, and with patterns without look-around."
    )
    part: str


@dataclass(eq=False)
class AttributesInvalid(Unprocessable):
    """The attributes break the schema of the item's category; `errors` names each place."""

    slug: ClassVar[str] = "attributes-invalid"
    title: ClassVar[str] = N_("Attributes do not fit")
    detail: ClassVar[str] = N_(
        "The attributes do not fit the schema of the category {category}. Correct those that "
        "errors names."
    )
    category: str
    faults: InitVar[Sequence[Mapping[str, Any]]] = ()

    def __post_init__(self, faults: Sequence[Mapping[str, Any]]) -> None:
        self._faults = list(faults)

    def errors_in(self, language: str) -> list[dict[str, str]]:
        """Return the first places that are wrong, in a language."""
        return validation_errors(self._faults, language)[0]


@dataclass(eq=False)
class ItemsBreakSchema(Conflict):
    """Items of the category, or below it, break the schema. Give them their attributes first."""

    slug: ClassVar[str] = "items-break-schema"
    title: ClassVar[str] = N_("Items do not fit the schema")
    detail: ClassVar[tuple[str, str]] = NP_(
        "{breaking} item does not fit that schema, such as {items}. Change its attributes first.",
        "{breaking} items do not fit that schema, such as {items}. Change their attributes first.",
    )
    counted: ClassVar[str] = "breaking"
    breaking: int
    items: list[str]
