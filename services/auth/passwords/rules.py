"""Which passwords are accepted. Length and guessability count; no composition is asked for."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Literal

LENGTH_MAX = 128
MEMORY_KIB = 19_456  # Argon2id as OWASP's Password Storage Cheat Sheet has it.
PASSES = 2
LANES = 1
SALT_BYTES = 16
HASH_BYTES = 32

Weakness = Literal["too_short", "too_long", "common"]

_COMMON_PATH = Path(__file__).parent / "common.txt"
_ABOUT_US = frozenset(
    {"company", "inventory", "stock", "stockwright", "warehouse", "administrator"}
)
_DECORATION_MAX = 4  # Characters before and after a common word that do not make it a new one.
_WORD_MIN = 4
_BEFORE, _AFTER = r"^[\W\d_]+", r"[\W\d_]+$"
_REPEATED = re.compile(r"(.+?)\1+", re.DOTALL)
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "1234567890", "qwertyuiopasdfghjklzxcvbnm", "azertyuiop")
_LOOKALIKES = str.maketrans("013457@$!", "oieastasi")


def normalised(password: str) -> str:
    """Return the password in NFC, the form that is hashed; nothing else about it is changed."""
    return unicodedata.normalize("NFC", password)


def find_weakness(password: str, *, length_min: int, personal: Iterable[str]) -> Weakness | None:
    """Return why a normalised password is refused, or None.

    `personal` are words close to the user, such as the e-mail address and the tenant's name.
    """
    if len(password) < length_min:
        return "too_short"
    if len(password) > LENGTH_MAX:
        return "too_long"
    return "common" if is_guessable(password, personal) else None


def is_guessable(password: str, personal: Iterable[str]) -> bool:
    """Say whether it is a common password, a known word thinly dressed up, or a run of keys."""
    folded = password.casefold()
    unit = _repeated_unit(folded)
    if len(unit) < _WORD_MIN:
        return True
    words = common_passwords() | _ABOUT_US | _parts(personal)
    return any(
        form in words or form.translate(_LOOKALIKES) in words or _is_run(form)
        for form in {folded, unit, *_undressed(folded)}
    )


@lru_cache(maxsize=1)
def common_passwords() -> frozenset[str]:
    """Return the shipped list of passwords that are tried first."""
    lines = _COMMON_PATH.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def _parts(personal: Iterable[str]) -> frozenset[str]:
    found: set[str] = set()
    for text in personal:
        folded = text.casefold()
        found.update({folded, *re.split(r"[@\s]+", folded), *re.split(r"\W+", folded)})
    return frozenset(word for word in found if len(word) >= _WORD_MIN)


def _undressed(password: str) -> set[str]:
    """Return the password without the few digits and signs before and after it."""
    found = {re.sub(form, "", password) for form in (_BEFORE, _AFTER, f"{_BEFORE}|{_AFTER}")}
    return {core for core in found if len(password) - len(core) <= _DECORATION_MAX}


def _is_run(password: str) -> bool:
    """Say whether it only walks along the alphabet, the digits or a keyboard row."""
    walks = [row * 3 for row in _ROWS]
    return any(password in walk or password[::-1] in walk for walk in walks)


def _repeated_unit(password: str) -> str:
    """Return what a password merely repeats, else the password."""
    repeated = _REPEATED.fullmatch(password)
    return repeated.group(1) if repeated else password
