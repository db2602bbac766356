import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.passwords.rules import (
    LENGTH_MAX,
    common_passwords,
    find_weakness,
    is_guessable,
    normalised,
)

STRONG = "gravel umbrella sonnet 7"


def weakness(password: str, *, length_min: int = 12, personal: tuple[str, ...] = ()) -> str | None:
    return find_weakness(normalised(password), length_min=length_min, personal=personal)


@pytest.mark.parametrize("length", [0, 1, 7, 11])
def test_short_passwords_are_refused(length: int):
    assert weakness(STRONG[:length]) == "too_short"


def test_the_least_length_is_configurable():
    assert weakness("plinthot", length_min=8) is None


def test_the_greatest_length_is_accepted_and_one_more_is_not():
    varied = "".join(chr(0x4E00 + i) for i in range(LENGTH_MAX + 1))

    assert weakness(varied[:-1]) is None
    assert weakness(varied) == "too_long"


@pytest.mark.parametrize(
    "password",
    [
        "no digits at all here",
        "пароль из слов длинный",
        "NUR GROSSE BUCHSTABEN",
        "  leading and trailing  ",
        "192837465019285",
        "dragon-8472-9931-4410",
    ],
)
def test_no_composition_is_asked_for(password: str):
    assert weakness(password) is None


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "qwertyuiop",
        "Password2026",
        "PASSWORD!!!!",
        "p@ssw0rd",
        "P@55w0rd2026",
        "!!dragon!!",
        "company2026",
        "Stockwright!1",
        "administrator",
        "passwordpassword",
        "dragondragon",
        "123412341234",
        "aaaaaaaaaaaaaaaa",
        "abababababababab",
        "123456789012",
        "210987654321",
        "abcdefghijklm",
        "zyxwvutsrqpon",
        "qwertyuiopasdf",
        "company2026!",
        "letmein12345",
        "Inventory2026!",
        "P@ssw0rd2026!",
        "passw0rd12345",
        "l3tm31n12345",
        "motdepasse2026!",
        "Winter-2026!!",
        "été2026été2026",
        "Décembre2026!",
        "winter2026winter",
        "Password1Password1",
        "dragonmonkey12",
        "company-company1",
        "1q2w3e4r5t6y",
        "zaq12wsxcde3",
    ],
)
def test_what_is_tried_first_is_refused(password: str):
    assert is_guessable(password, ())


def test_the_shipped_common_passwords_are_refused():
    listed = sorted(common_passwords())

    assert sum(len(password) >= 8 for password in listed) > 10_000
    assert all(is_guessable(password, ()) for password in listed[::50])


@pytest.mark.asvs("A03")
@pytest.mark.parametrize(
    "password",
    [
        "Ada.Lovelace",
        "lovelace2026",
        "acme-trading",
        "Trading1!",
        "AdaLovelace2026",
        "Lovelace.Ada!",
        "acmetrading2026!",
        "Acme-Trading-2026",
    ],
)
def test_words_close_to_the_user_are_refused(password: str):
    personal = ("ada.lovelace@example.com", "Acme Trading", "acme-trading")

    assert weakness(password, length_min=8, personal=personal) == "common"
    assert weakness(password, length_min=8) is None


UNRELATED = st.sampled_from(
    [
        "ochre",
        "plinth",
        "otter",
        "marzipan",
        "gantry",
        "fjord",
        "quartz",
        "nimbus",
        "tapir",
        "sorrel",
        "vellum",
        "cobalt",
        "lichen",
        "pumice",
        "ramekin",
        "trellis",
        "zephyr",
        "kelp",
        "mortar",
        "bobbin",
    ]
)


@pytest.mark.asvs("A01")
@given(st.lists(UNRELATED, min_size=3, max_size=6, unique=True), st.sampled_from([" ", "-", ""]))
def test_three_unrelated_words_are_accepted(words: list[str], between: str):
    password = between.join(words)

    assert weakness(password, length_min=8) is None


@pytest.mark.asvs("A01")
@given(st.binary(min_size=12, max_size=12))
def test_random_characters_are_accepted(drawn: bytes):
    password = base64.urlsafe_b64encode(hashlib.sha256(drawn).digest()[:12]).decode()

    assert weakness(password) is None


def test_composed_and_decomposed_spellings_are_one_password():
    assert normalised("cafe\u0301") == normalised("caf\u00e9")


def test_normalising_keeps_case_and_outer_spaces():
    assert normalised("  Aa ") == "  Aa "


@given(st.text(min_size=0, max_size=200))
def test_any_text_gets_a_verdict(password: str):
    verdict = weakness(password)

    assert verdict in {None, "too_short", "too_long", "common"}
    assert (verdict == "too_short") == (len(normalised(password)) < 12)
