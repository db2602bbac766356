"""Tokens that somebody gets by mail: how one is written, how long it is good, and how many are."""

from datetime import timedelta
from typing import Final, Literal, TypeAlias

PREFIX: Final = "ot_"  # Of the text of a token.

Purpose: TypeAlias = Literal["verify", "reset", "invite", "address"]

LIFETIMES: Final[dict[Purpose, timedelta]] = {
    "verify": timedelta(days=1),
    "reset": timedelta(minutes=30),
    "invite": timedelta(days=7),
    "address": timedelta(days=1),
}

# How many of a purpose are good at once. What anybody may ask for, for any address, ends none that
# is on its way; who asks for the others has signed in.
GOOD_AT_ONCE: Final[dict[Purpose, int]] = {"verify": 3, "reset": 3, "invite": 1, "address": 1}
