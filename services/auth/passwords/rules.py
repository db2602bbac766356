"""Which passwords are accepted. Length and guessability count; no composition is asked for."""

import re
import unicodedata
from collections.abc import Callable, Iterable
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
# What people count the time by, in both languages, without accents.
_CALENDAR = frozenset(
    [
        "january",
        "february",
        "march",
        "april",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "janvier",
        "fevrier",
        "mars",
        "avril",
        "juin",
        "juillet",
        "aout",
        "septembre",
        "octobre",
        "novembre",
        "decembre",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "lundi",
        "mardi",
        "mercredi",
        "jeudi",
        "vendredi",
        "samedi",
        "dimanche",
        "spring",
        "summer",
        "autumn",
        "winter",
        "printemps",
        "automne",
        "hiver",
    ]
)
_WORD_MIN = 4
_NAME_MIN = 3  # Of words close to the user: Ada is one.
_WORDS_MAX = 2  # So many known words are guessed together; three unrelated ones are not.
_DECORATION_MAX = 8  # Characters that are no letters, around or between known words.
_LETTERS = re.compile(r"[^\W\d_]+")
_REPEATED = re.compile(r"(.+?)\1+", re.DOTALL)
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz", "1234567890", "qwertyuiopasdfghjklzxcvbnm", "azertyuiop",
    "1q2w3e4r5t6y7u8i9o0p", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "zaq12wsxcde34rfvbgt5",
)  # fmt: skip
_OURS = _ABOUT_US | _CALENDAR
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
    """Say whether it is a common password, a known word or two thinly dressed up, or a run of keys.

    Known are common passwords, words close to the user, and those that anybody here would think of.
    """
    folded = _plain(password)
    unit = _repeated_unit(folded)
    if len(unit) < _WORD_MIN:
        return True
    close = _parts(personal)

    def is_known(word: str) -> bool:
        return word in common_passwords() or word in _OURS or word in close

    forms = {folded, unit, *_undressed(folded), *_undressed(unit)}
    return any(
        is_known(form) or _is_run(form) or _are_known(spelling, is_known)
        for form in forms
        for spelling in (form, form.translate(_LOOKALIKES))
    )


@lru_cache(maxsize=1)
def common_passwords() -> frozenset[str]:
    """Return the shipped list of passwords that are tried first."""
    lines = _COMMON_PATH.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def _plain(text: str) -> str:
    """Return a text without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _parts(personal: Iterable[str]) -> frozenset[str]:
    """Return words, and what they make when joined in either order, of texts close to the user."""
    found: set[str] = set()
    for text in personal:
        folded = _plain(text)
        local = folded.partition("@")[0]
        words = re.split(r"[\W_]+", local)
        found.update({folded, local, *re.split(r"\W+", folded), *words})
        found.update({"".join(words), "".join(reversed(words))})
    return frozenset(word for word in found if len(word) >= _NAME_MIN)


def _undressed(password: str) -> set[str]:
    """Return the password without the digits and signs before and after it, if these are few."""
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", password)
    tail = re.sub(r"[\W\d_]+$", "", password)
    few = {form for form in (core, tail) if len(password) - len(form) <= _DECORATION_MAX}
    return {form for form in few if form}


def _are_known(text: str, is_known: Callable[[str], bool]) -> bool:
    """Say whether it is known words, few of them, with few other characters between."""
    words = _LETTERS.findall(text)
    if not words or len(text) - sum(map(len, words)) > _DECORATION_MAX:
        return False
    if sum(map(len, words)) < _WORD_MIN:
        return True
    split = [_split(word, is_known) for word in set(words)]
    return all(split) and sum(split) <= _WORDS_MAX


def _split(word: str, is_known: Callable[[str], bool]) -> int:
    """Return of how many known words it is made, one or two; 0 if of none."""
    if is_known(word):
        return 1
    cuts = range(_WORD_MIN, len(word) - _WORD_MIN + 1)
    return 2 if any(is_known(word[:at]) and is_known(word[at:]) for at in cuts) else 0


def _is_run(password: str) -> bool:
    """Say whether it only walks along the alphabet, the digits or a keyboard row."""
    walks = [row * 3 for row in _ROWS]
    return any(password in walk or password[::-1] in walk for walk in walks)


def _repeated_unit(password: str) -> str:
    """Return what a password merely repeats, else the password."""
    repeated = _REPEATED.fullmatch(password)
    return repeated.group(1) if repeated else password
