"""What can be decided about items without a database."""

import unicodedata
from collections.abc import Iterable

SEARCH_TEXT_LENGTH_MAX = 1000


def search_text(parts: Iterable[str | None]) -> str:
    """Return what a search looks at: the parts without case and accents, in one line."""
    return " ".join(folded(part) for part in parts if part)[:SEARCH_TEXT_LENGTH_MAX]


def folded(text: str) -> str:
    """Return text without case, accents and surplus space: `Pâtes  Été` is `pates ete`."""
    # Decomposed twice: letters hide in signs (№ is No), and folding brings new marks (İ).
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())
