"""What a command says to people: as its process would print it, or end with."""

from shared.told import Told


def said_by(told: Told | str) -> str:
    """Return what was said. Raises SystemExit where that is bad."""
    if isinstance(told, str):
        return told
    if told.is_bad:
        raise SystemExit(told.text)
    return told.text
