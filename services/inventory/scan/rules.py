"""What a scanner read, by the GS1 General Specifications: which item, and what its label says."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from biip import ParseError
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_element_strings import GS1ElementString

from shared.gtin import find_gtin

FNC1 = "\x1d"  # What scanners send for it: the group separator.
_ITEM, _CONTENT = "01", "02"
_COUNTS = ("37", "30")
_KILOGRAMS = "310"
# How a symbol names itself before what it holds (ISO/IEC 15424), where that is of GS1.
_SYMBOL = re.compile(r"\][A-Za-z][0-9]")
_OF_GS1 = ("]C1", "]e0", "]d2", "]Q3", "]J1")
_IN_BRACKETS = re.compile(r"\((\d{2,4})\)")
_LINK = re.compile(r"https?://[^/]+/(.*/)?(01|gtin|02|00|sscc)/", re.IGNORECASE)
_UNMARKED = re.compile(r"(0[12]\d{14}|00\d{18})")


class Form(StrEnum):
    """What kind of text was read."""

    CODE = "code"
    GTIN = "gtin"
    ELEMENT_STRING = "element_string"
    DIGITAL_LINK = "digital_link"
    SERIAL = "serial"  # No code of an item, but a serial number of one.


@dataclass(frozen=True, slots=True)
class Element:
    """One thing that a label says: its application identifier, GS1's title of that, the value."""

    ai: str
    title: str
    value: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says, read in one way. `code` is what names the item."""

    form: Form
    code: str | None
    lot: str | None = None
    serial: str | None = None
    expiry: date | None = None
    best_before: date | None = None
    produced: date | None = None
    count: Decimal | None = None
    net_weight_kg: Decimal | None = None
    sscc: str | None = None
    elements: tuple[Element, ...] = ()

    @property
    def gtin(self) -> str | None:
        """The fourteen digits of the trade item, if it is one."""
        return find_gtin(self.code) if self.code is not None else None


class LabelUnreadableError(ValueError):
    """A label of GS1 breaks GS1's rules from `part` on."""

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self.part = part


class CheckDigitError(ValueError):
    """A label's number does not fit its own check digit."""

    def __init__(self, number: str) -> None:
        super().__init__(number)
        self.number = number


def readings(value: str) -> list[Reading]:
    """Return the ways in which what was read may be meant, the likeliest first.

    Marks of GS1 (a symbol's identifier, FNC1, brackets, the path of a Digital Link) leave one way.
    An element string without any may be a code of one's own as well. Raises LabelUnreadableError,
    CheckDigitError.
    """
    if value.startswith(_OF_GS1):
        return [_of(Form.ELEMENT_STRING, _elements(value[3:]))]
    value = _SYMBOL.sub("", value, count=1) if _SYMBOL.match(value) else value
    if FNC1 in value:
        return [_of(Form.ELEMENT_STRING, _elements(value))]
    if _IN_BRACKETS.match(value):
        return [_of(Form.ELEMENT_STRING, _bracketed(value))]
    if _LINK.match(value):
        return [_of(Form.DIGITAL_LINK, _linked(value))]
    found = [Reading(Form.GTIN if find_gtin(value) else Form.CODE, value)]
    if _UNMARKED.match(value):
        try:
            found.append(_of(Form.ELEMENT_STRING, _elements(value)))
        except (LabelUnreadableError, CheckDigitError):
            return found
    return found


def _elements(value: str) -> Iterator[GS1ElementString]:
    """Give the elements of a string in which FNC1 ends those of no fixed length.

    Where it is missing, nothing is guessed: an element goes on to the end of the text.
    """
    rest = value.strip(FNC1)
    if not rest:
        raise LabelUnreadableError(value)
    while rest:
        try:
            element = GS1ElementString.extract(rest)
        except ParseError as error:
            raise LabelUnreadableError(rest) from error
        after = rest[len(element) :]
        if element.ai.separator_required and after and not after.startswith(FNC1):
            raise LabelUnreadableError(rest)
        yield element
        rest = after.lstrip(FNC1)


def _bracketed(value: str) -> Iterator[GS1ElementString]:
    """Give the elements of what is printed below a symbol: `(01)09521234543213(10)ABC`."""
    _, *parts = _IN_BRACKETS.split(value)
    for ai, text in zip(parts[::2], parts[1::2], strict=True):
        try:
            element = GS1ElementString.parse(f"{ai}{text.strip()}")
        except ParseError as error:
            raise LabelUnreadableError(f"({ai}){text}") from error
        if element.ai.ai != ai:
            raise LabelUnreadableError(f"({ai}){text}")
        yield element


def _linked(value: str) -> Sequence[GS1ElementString]:
    try:
        return GS1DigitalLinkURI.parse(value).element_strings
    except (ParseError, ValueError) as error:  # The latter of what is no address at all.
        raise LabelUnreadableError(value) from error


def _of(form: Form, elements: Iterator[GS1ElementString] | Sequence[GS1ElementString]) -> Reading:
    said: dict[str, GS1ElementString] = {}
    for element in elements:
        ai = element.ai.ai
        if said.setdefault(ai, element).value != element.value:
            raise LabelUnreadableError(f"({ai}){element.value}")
        if not (element.value and element.value.isascii()):  # biip lets some be of no length.
            raise LabelUnreadableError(f"({ai}){element.value}")
        if element.gtin_error or element.sscc_error:
            raise CheckDigitError(element.value)
    item = said.get(_ITEM) or said.get(_CONTENT)
    weight = next((each for ai, each in said.items() if ai.startswith(_KILOGRAMS)), None)
    return Reading(
        form,
        code=item.value if item else None,
        lot=_value(said.get("10")),
        serial=_value(said.get("21")),
        expiry=said["17"].date if "17" in said else None,
        best_before=said["15"].date if "15" in said else None,
        produced=said["11"].date if "11" in said else None,
        count=next((Decimal(said[ai].value) for ai in _COUNTS if ai in said), None),
        net_weight_kg=weight.decimal if weight else None,
        sscc=_value(said.get("00")),
        elements=tuple(
            Element(each.ai.ai, each.ai.data_title, each.value) for each in said.values()
        ),
    )


def _value(element: GS1ElementString | None) -> str | None:
    return element.value if element else None
