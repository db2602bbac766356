"""What auth journals of the keys that sign tokens, as a matter of the default tenant."""

from datetime import datetime
from typing import ClassVar

from shared.journal import Entry


class SigningKeyAdded(Entry):
    """All earlier keys end once the last token that they signed has."""

    name: ClassVar[str] = "auth.signing-key-added.v1"
    subject_of: ClassVar[tuple[str, str]] = ("signing-key", "kid")
    kid: str
    signs_from: datetime
