"""What can be decided about items without a database."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from shared.identifiers import identifier_key

SEARCH_TEXT_LENGTH_MAX = 1000


@dataclass(frozen=True, slots=True)
class Label:
    """How one key names an item: as its code, as a barcode (as printed), or as both."""

    is_code: bool
    barcode: str | None


def labels_of(code_key: str, barcodes: Iterable[str]) -> dict[str, Label]:
    """Return what names an item with this code and these barcodes, by key.

    Barcodes that are the same by key count once, as first written.
    """
    labels = {code_key: Label(is_code=True, barcode=None)}
    for barcode in barcodes:
        key = identifier_key(barcode)
        found = labels.get(key, Label(is_code=False, barcode=None))
        labels[key] = Label(found.is_code, found.barcode or barcode)
    return labels


def barcodes_of(labels: Iterable[Label]) -> list[str]:
    """Return the barcodes among what names an item, in order."""
    return sorted(label.barcode for label in labels if label.barcode is not None)


def said_in(language: str, english: str | None, french: str | None) -> str:
    """Return what was said in a language, else in the other one; empty if in neither."""
    first, second = (french, english) if language == "fr" else (english, french)
    return first if first is not None else second or ""


def search_text(parts: Iterable[str | None]) -> str:
    """Return what a search looks at: the parts without case and accents, in one line."""
    return " ".join(folded(part) for part in parts if part)[:SEARCH_TEXT_LENGTH_MAX]


def folded(text: str) -> str:
    """Return text without case, accents and surplus space: `Pâtes  Été` is `pates ete`."""
    # Decomposed twice: letters hide in signs (№ is No), and folding brings new marks (İ).
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())
