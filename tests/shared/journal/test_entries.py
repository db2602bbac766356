from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID, uuid4

from shared.journal import Entry


class ShelfSaved(Entry):
    name: ClassVar[str] = "shop.shelf-saved.v1"
    subject_of: ClassVar[tuple[str, str]] = ("shelf", "shelf_id")
    shelf_id: UUID
    colour: str


@dataclass
class Shelf:
    shelf_id: UUID
    colour: str
    version: int = 1


def test_an_entry_says_what_it_happened_to():
    shelf_id = uuid4()

    assert ShelfSaved(shelf_id=shelf_id, colour="red").subject == f"shelf:{shelf_id}"


def test_an_entry_mirrors_a_row_by_the_names_of_its_fields():
    row = Shelf(uuid4(), "red")

    assert ShelfSaved.of(row) == ShelfSaved(shelf_id=row.shelf_id, colour="red")
