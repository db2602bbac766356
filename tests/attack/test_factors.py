"""Codes of second factors: used twice, guessed, and recovery codes."""

import asyncio
import time

import pytest

from tests.attack.attempts import code_of
from tests.attack.world import Client, Person, World, enrolled, new_person
from tests.support.authenticator import STEP_S

GUESSES = 120
LOOKED_AT_MAX = 8  # Five, and one after each wait, should this take minutes.


def step() -> int:
    return int(time.time()) // STEP_S


async def sign_in(client: Client, person: Person, code: str):
    return await client.post("/api/auth/login", json=person.credentials | {"code": code})


@pytest.mark.asvs("B01")
async def test_a_code_twice(attempts, client, world: World):
    person = await new_person(client, world.attacker, "manager")
    totp, _ = await enrolled(client, person)
    code = totp.generate_otp(step())
    with attempts.of("second factor: a code used again") as attack:
        attack.expect(await sign_in(client, person, code), 200)
        for spelling in (code, f"{code[:3]} {code[3:]}", f" {code}", f"{code[:3]}-{code[3:]}"):
            attack.expect(await sign_in(client, person, spelling), 401, 429)
        earlier = totp.generate_otp(step() - 1)
        attack.expect(await sign_in(client, person, earlier), 401, 429)
    other = await new_person(client, world.attacker, "manager")
    totp, _ = await enrolled(client, other)
    code = totp.generate_otp(step())
    with attempts.of("second factor: a code, many at once") as attack:
        answers = await asyncio.gather(*(sign_in(client, other, code) for _ in range(5)))
        passed = [answer for answer in answers if answer.is_success]
        for answer in answers:
            attack.note(len(passed) == 1, f"{len(passed)} of {len(answers)} got in: {answer}")


@pytest.mark.asvs("B02")
async def test_codes_of_other_times(attempts, client, world: World):
    with attempts.of("second factor: codes of other times") as attack:
        for off in (-40, -3, 3, 40):
            person = await new_person(client, world.attacker, "manager")
            totp, _ = await enrolled(client, person)
            code = totp.generate_otp(step() + off)
            attack.expect(await sign_in(client, person, code), 401, what=f"{off} steps off")


@pytest.mark.asvs("B03")
async def test_guessing(attempts, client, world: World):
    person = await new_person(client, world.attacker, "manager")
    await enrolled(client, person)
    with attempts.of("second factor: guessed, many at once and in a row") as attack:
        codes = [f"{number * 7919 % 1_000_000:06}" for number in range(GUESSES)]
        answers = []
        for start in range(0, GUESSES, 30):
            part = codes[start : start + 30]
            answers += await asyncio.gather(*(sign_in(client, person, code) for code in part))
        looked_at = [a for a in answers if code_of(a) == "two_factor_code_wrong"]
        for answer in answers:
            refused = answer.status_code in {401, 429, 503}
            attack.note(refused, f"{answer.status_code} {answer.text[:200]}")
        attack.note(
            len(looked_at) <= LOOKED_AT_MAX, f"{len(looked_at)} of {GUESSES} were looked at"
        )


@pytest.mark.asvs("B07")
async def test_recovery_codes(attempts, client, world: World):
    person = await new_person(client, world.attacker, "manager")
    _, codes = await enrolled(client, person)
    with attempts.of("second factor: a recovery code used again") as attack:
        attack.expect(await sign_in(client, person, codes[0]), 200)
        for spelling in (codes[0], codes[0].lower(), codes[0].replace("-", "")):
            attack.expect(await sign_in(client, person, spelling), 401, 429)
    other = await new_person(client, world.attacker, "manager")
    _, codes = await enrolled(client, other)
    with attempts.of("second factor: a recovery code, many at once") as attack:
        answers = await asyncio.gather(*(sign_in(client, other, codes[1]) for _ in range(5)))
        passed = [answer for answer in answers if answer.is_success]
        for answer in answers:
            attack.note(len(passed) == 1, f"{len(passed)} of {len(answers)} got in: {answer}")
