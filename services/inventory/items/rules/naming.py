"""What names an item, and what a search sees of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from shared.gtin import find_gtin, has_gtin_form, is_pack_gtin, item_key
from shared.i18n.folding import folded
from shared.identifiers import identifier_key

SECTION_LENGTH_MAX, DESCRIBED_LENGTH_MAX = 400, 1000
SECTION_MARK = "\x1f"  # No text holds it, and a search takes it for a space.


@dataclass(frozen=True, slots=True)
class Label:
    """How one key names an item: as its code, as a barcode (as printed), or as both.

    unit is the key of the pack that a barcode is printed on, None for the stock unit.
    """

    is_code: bool
    barcode: str | None
    unit: str | None = None


class Doubt(StrEnum):
    """What may be a mistake in a barcode."""

    CHECK_DIGIT_WRONG = "check_digit_wrong"
    PACK_UNNAMED = "pack_unnamed"  # It numbers a pack, but no unit says which.


def labels_of(code_key: str, barcodes: Iterable[tuple[str, str | None]]) -> dict[str, Label]:
    """Return what names an item with this code and these (barcode, key of a pack), by key.

    Barcodes that are the same by key count once, as first written.
    """
    labels = {code_key: Label(is_code=True, barcode=None)}
    for barcode, unit in barcodes:
        key = item_key(barcode)
        found = labels.get(key, Label(is_code=False, barcode=None))
        if found.barcode is None:
            labels[key] = Label(found.is_code, barcode, unit)
    return labels


def in_order(labels: Iterable[Label]) -> list[Label]:
    """Return those of the labels that are barcodes, in their order."""
    printed = [label for label in labels if label.barcode is not None]
    return sorted(printed, key=lambda label: label.barcode or "")


def barcodes_of(labels: Iterable[Label]) -> list[str]:
    """Return the barcodes among what names an item, in order."""
    return [label.barcode or "" for label in in_order(labels)]


def doubts_of(barcode: str, *, is_pack: bool) -> list[Doubt]:
    """Return what is odd about a barcode, which is kept all the same."""
    gtin = find_gtin(identifier_key(barcode))
    if gtin is None:
        return [Doubt.CHECK_DIGIT_WRONG] if has_gtin_form(barcode) else []
    return [Doubt.PACK_UNNAMED] if is_pack_gtin(gtin) and not is_pack else []


def search_text(
    code: str,
    names: Iterable[str | None],
    category_words: str = "",
    descriptions: Iterable[str | None] = (),
) -> str:
    """Return what a search looks at, without case and accents, with a mark between its sections.

    These are the code, the name in each language, the category's words, and the descriptions.
    """
    described = " ".join(folded(text) for text in descriptions if text)
    said = [folded(text or "")[:SECTION_LENGTH_MAX] for text in (code, *names)]
    return SECTION_MARK.join([*said, category_words, described[:DESCRIBED_LENGTH_MAX]])
