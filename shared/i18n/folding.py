"""Texts as a search sees them."""

import unicodedata

# Letters that Unicode takes for letters of their own, as people type them without.
_LIGATURES = str.maketrans(
    {
        "\u00e6": "ae", "\u0153": "oe", "\u00f8": "o", "\u0142": "l", "\u0111": "d",
        "\u00f0": "d", "\u00fe": "th", "\u0131": "i", "\u0127": "h", "\u014b": "n",
        "\u0167": "t", "\u0138": "k",
    }
)  # fmt: skip


def folded(text: str) -> str:
    """Return text without case, accents, ligatures and surplus space: `Œufs  Été` is `oeufs ete`.

    Search texts are stored: whoever changes this writes a migration that makes them anew.
    """
    # Decomposed twice: letters hide in signs (№ is No), and folding brings new marks (İ).
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(plain.translate(_LIGATURES).split())
