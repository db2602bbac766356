"""Where a trace goes on: lots are tied by the kits that they were made into, or taken out of."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID


class Kin(NamedTuple):
    """A lot that a trace has come to, as far as it is about what it came from.

    `of` is the item whose units it looks for in it: its own, or one that went into it, or that came
    out of it.
    """

    lot_id: UUID
    item_id: UUID
    of: UUID


class Link(NamedTuple):
    """Two lots that an assembly of kits, or taking some apart, ties: what leaves and what comes.

    It joins where what is followed is a part and the other lot is that of the kit.
    """

    lot_id: UUID
    other_id: UUID
    other_item_id: UUID
    joins: bool
    is_kit: bool  # The other lot's item is made of others itself.


def next_kin(found: Kin, links: Sequence[Link]) -> list[Kin]:
    """Return the lots that a trace comes to next by these links of a lot.

    A kit that is taken apart, or whose parts are asked for, has many. What was followed into it as
    one of its parts is followed out of it as that part, or within a kit in it; where neither is
    there, nobody knows as what, and it may be any.
    """
    joined = [Kin(link.other_id, link.other_item_id, found.of) for link in links if link.joins]
    parted = [link for link in links if not link.joins]
    if found.of == found.item_id:
        return joined + [_anew(link) for link in parted]
    likely = [
        Kin(link.other_id, link.other_item_id, found.of)
        for link in parted
        if link.is_kit or link.other_item_id == found.of
    ]
    return joined + (likely or [_anew(link) for link in parted])


def _anew(link: Link) -> Kin:
    return Kin(link.other_id, link.other_item_id, link.other_item_id)
