"""Numbers of trade items (GTIN), by the GS1 General Specifications: one number, several lengths.

A GTIN-8, -12 (UPC-A), -13 (EAN-13) and -14 are one number, padded with zeros to fourteen digits; a
UPC-E is its UPC-A with zeros left out. A number counts as one only if its check digit fits: any
other row of digits is a text as all others are, also where it is as long.
"""

from shared.identifiers import identifier_key

_LENGTHS = frozenset({8, 12, 13, 14})
_LENGTH = 14
_UPC_E_LENGTH = 8


def item_key(text: str) -> str:
    """Return what a code or barcode of an item is looked up by.

    Of a trade item's number (GTIN) its fourteen digits, so that its UPC-A, EAN-13 and GTIN-14 are
    one; of any other text its key. Keys are stored: whoever changes this writes a migration.
    """
    key = identifier_key(text)
    return find_gtin(key) or key


def find_gtin(text: str) -> str | None:
    """Return the fourteen digits of the trade item that a text numbers, None if it is none.

    Eight digits that begin with 0 are a UPC-E, if the check digit of its UPC-A fits, rather than a
    GTIN-8: GS1 gives out none that begins so.
    """
    if not has_gtin_form(text) or not text.strip("0"):
        return None
    if len(text) == _UPC_E_LENGTH and text[0] == "0":
        expanded = _expanded(text)
        if _fits(expanded):
            return expanded.zfill(_LENGTH)
    return text.zfill(_LENGTH) if _fits(text) else None


def has_gtin_form(text: str) -> bool:
    """Say whether a text has as many digits as a GTIN, whatever its check digit."""
    return len(text) in _LENGTHS and text.isascii() and text.isdigit()


def is_pack_gtin(gtin: str) -> bool:
    """Say whether fourteen digits number a pack of a trade item: by their indicator, 1 to 8."""
    return "1" <= gtin[0] <= "8"


def check_digit(digits: str) -> str:
    """Return the digit that goes behind these: weights 3 and 1 from the right, up to a ten."""
    weighed = sum(int(digit) * (3, 1)[n % 2] for n, digit in enumerate(reversed(digits)))
    return str(-weighed % 10)


def _fits(text: str) -> bool:
    return check_digit(text[:-1]) == text[-1]


def _expanded(upc_e: str) -> str:
    """Return the UPC-A of a UPC-E: its sixth digit says where the zeros were left out."""
    system, body, last, check = upc_e[0], upc_e[1:6], upc_e[6], upc_e[7]
    if last in "012":
        return f"{system}{body[:2]}{last}0000{body[2:]}{check}"
    if last == "3":
        return f"{system}{body[:3]}00000{body[3:]}{check}"
    if last == "4":
        return f"{system}{body[:4]}00000{body[4]}{check}"
    return f"{system}{body}0000{last}{check}"
