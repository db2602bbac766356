"""Tokens that somebody gets by mail: how one is written, and how long it is good."""

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
