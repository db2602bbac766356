from hypothesis import given
from hypothesis import strategies as st

from services.inventory.items.rules import (
    DESCRIBED_LENGTH_MAX,
    SECTION_LENGTH_MAX,
    SECTION_MARK,
    Label,
    barcodes_of,
    labels_of,
    search_text,
)
from shared.identifiers import identifier_key as _key


@given(st.text(), st.lists(st.none() | st.text(), min_size=2, max_size=2))
def test_the_search_text_is_one_bounded_line_of_five_sections(code, texts):
    text = search_text(code, texts, "food", texts)

    assert len(text) <= 3 * SECTION_LENGTH_MAX + DESCRIBED_LENGTH_MAX + len("food") + 4
    assert text.count(SECTION_MARK) >= 4
    assert "\n" not in text


def test_the_search_text_holds_every_part_that_is_given():
    assert search_text("SP-1", ("Spaghetti", "Pâtes")) == "sp-1\x1fspaghetti\x1fpates\x1f\x1f"
    whole = search_text("SP-1", (None, "Œuf"), "food", ("Fresh", None))
    assert whole == "sp-1\x1f\x1foeuf\x1ffood\x1ffresh"


@given(st.lists(st.text(min_size=1).filter(lambda text: _key(text.upper()) == _key(text))))
def test_each_barcode_is_named_once_however_often_it_is_written(barcodes):
    once = [(barcode, None) for barcode in barcodes]
    labels = labels_of("code", [*once, *once, *((b.upper(), "case") for b in barcodes)])

    assert labels_of("code", once) == labels
    assert labels["code"].is_code
    assert [key for key, label in labels.items() if label.is_code] == ["code"]
    assert set(barcodes_of(labels.values())) <= set(barcodes)


def test_a_code_on_a_label_is_one_key():
    assert labels_of("abc", [("ABC", None), ("abc", "case"), ("9", "case")]) == {
        "abc": Label(is_code=True, barcode="ABC"),
        "9": Label(is_code=False, barcode="9", unit="case"),
    }
