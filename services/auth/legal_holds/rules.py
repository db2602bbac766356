"""What a legal hold is about."""

from typing import Literal, TypeAlias

HoldKind: TypeAlias = Literal["transactions", "movements", "prices"]
REASON_LENGTH_MAX = 500
