"""Finding out who is there, and guessing passwords."""

import asyncio
import time
from collections.abc import Iterator
from statistics import fmean
from uuid import uuid4

import httpx
import pytest

from tests.attack.attempts import code_of, shown, without
from tests.attack.world import Client, Person, Tenant, World, client_from, new_person

KINDS = ("known", "unknown", "unknown tenant")
SAMPLES = 60  # Of each kind, in turns.
DIFFERENCE_MAX = 0.15  # A hash left out is more than half of it all.
TRIES_OF_ONE = 5  # Below what makes an account wait.
GUESSES = 60
LOOKED_AT_MAX = 13  # Ten, and one after each wait, should this take minutes.


def wrong(person: Person, kind: str = "known") -> dict[str, str]:
    credentials = person.credentials | {"password": f"wrong-{uuid4().hex}"}
    if kind == "unknown":
        return credentials | {"email": f"nobody-{uuid4().hex[:8]}@example.com"}
    if kind == "unknown tenant":
        return credentials | {"tenant": f"t-{uuid4().hex[:12]}"}
    return credentials


@pytest.mark.asvs("A05")
async def test_answers_tell_nobody(attempts, client, world: World):
    person = await new_person(world.client, world.attacker, "viewer")
    with attempts.of("enumeration: by what is answered") as attack:
        signs_in = [
            await client.post("/api/auth/login", json=wrong(person, kind)) for kind in KINDS
        ]
        for answer in signs_in:
            same = without(answer) == without(signs_in[0])
            attack.note(same and answer.status_code == 401, shown(answer))
        for path, more in (
            ("/api/auth/register", {"password": f"pass-{uuid4().hex}"}),
            ("/api/auth/forgot-password", {}),
            ("/api/auth/resend-verification", {}),
        ):
            asked = [
                {"email": wrong(person, kind)["email"], "tenant": wrong(person, kind)["tenant"]}
                for kind in KINDS
            ]
            answers = [await client.post(path, json=body | more) for body in asked]
            told = [
                without(answer, *body.values(), *fresh(answer))
                for answer, body in zip(answers, asked, strict=True)
            ]
            for answer, each in zip(answers, told, strict=True):
                attack.note(each == told[0] and answer.status_code < 500, shown(answer))


@pytest.mark.asvs("A05")
async def test_no_operation_tells_which_tenants_there_are(attempts, client, world, document):
    """Of those open to everybody, each that names a tenant."""
    with attempts.of("enumeration: tenants, by every open operation") as attack:
        for operation in document.operations:
            if operation.is_public and "tenant" in (operation.body or {}).get("properties", {}):
                told = []
                for tenant in (world.attacker.slug, f"t-{uuid4().hex[:12]}"):
                    body = operation.example | {"tenant": tenant}
                    answer = await client.request(operation.method, operation.path, json=body)
                    told.append(without(answer, tenant, *fresh(answer)))
                attack.note(told[0] == told[1] and told[0][0] < 500, f"{operation.name}: {told}")


def fresh(answer: httpx.Response) -> list[str]:
    """Return what is new in every answer: the id of what was asked for, and when."""
    return [answer.json()[name] for name in ("id", "created_at") if f'"{name}"' in answer.text]


@pytest.mark.asvs("A05")
async def test_times_tell_nobody(attempts, stack, world: World, hosts: Iterator[str]):
    """Of the fastest, which other work on the machine disturbs least; the kinds take turns.

    Who signs in is many, each below what makes an account wait.
    """
    people = [
        await new_person(world.client, world.attacker, "viewer")
        for _ in range(SAMPLES // TRIES_OF_ONE)
    ]
    took: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for person in people:
        async with client_from(stack.url, next(hosts)) as client:
            await client.get("/health/live")  # The connection is there.
            for _ in range(TRIES_OF_ONE):
                for kind in KINDS:
                    body, started = wrong(person, kind), time.perf_counter()
                    answer = await client.post("/api/auth/login", json=body)
                    took[kind].append(time.perf_counter() - started)
                    assert answer.status_code == 401, answer.text
    with attempts.of("enumeration: by the time that it takes") as attack:
        fastest = {kind: fmean(sorted(took[kind])[: SAMPLES // 4]) for kind in KINDS}
        for kind in KINDS[1:]:
            off = abs(fastest[kind] / fastest["known"] - 1)
            told = {kind: f"{took_s * 1000:.1f} ms" for kind, took_s in fastest.items()}
            attack.note(off < DIFFERENCE_MAX, f"{kind}: {told}")


@pytest.mark.asvs("A06", "A07")
async def test_guessing_a_password(attempts, stack, world: World, hosts: Iterator[str]):
    """From many addresses at once: no more are looked at than the account allows."""
    person = await new_person(world.client, world.attacker, "viewer")

    async def guess() -> httpx.Response:
        async with client_from(stack.url, next(hosts)) as client:
            return await client.post("/api/auth/login", json=wrong(person))

    with attempts.of("passwords: guessed from many addresses at once") as attack:
        answers = await asyncio.gather(*(guess() for _ in range(GUESSES)))
        looked_at = [answer for answer in answers if answer.status_code == 401]
        for answer in answers:
            attack.note(answer.status_code in {401, 429, 503}, shown(answer))
        attack.note(len(looked_at) <= LOOKED_AT_MAX, f"{len(looked_at)} were looked at")
        owner = await world.client.post("/api/auth/login", json=person.credentials)
        attack.expect(owner, 200, what="the owner, from where he was before:")


@pytest.mark.asvs("A08", "E01")
async def test_one_password_on_many_accounts(attempts, client, world: World):
    """From one address, whatever it says of itself."""
    tenant: Tenant = world.attacker
    with attempts.of("passwords: one on many accounts, addresses forged") as attack:
        answers = []
        for number in range(70):
            body = wrong(tenant.boss, "unknown")
            forged = {"X-Forwarded-For": f"203.0.113.{number}", "X-Real-IP": f"203.0.113.{number}"}
            answers.append(await client.post("/api/auth/login", json=body, headers=forged))
        for answer in answers:
            attack.note(answer.status_code in {401, 429}, shown(answer))
        throttled = [a for a in answers[-15:] if code_of(a) == "sign_in_throttled"]
        attack.note(len(throttled) >= 13, f"of the last 15, {len(throttled)} were refused unseen")


async def test_odd_spellings_of_an_account(attempts, client: Client, world: World):
    """One account is one, however it is written: no spelling has tries of its own."""
    person = await new_person(world.client, world.attacker, "viewer")
    with attempts.of("passwords: spellings of one address") as attack:
        spellings = [person.email, person.email.upper(), f" {person.email} ", person.email.title()]
        answers = [
            await client.post(
                "/api/auth/login", json=wrong(person) | {"email": spellings[n % len(spellings)]}
            )
            for n in range(GUESSES // 3)
        ]
        looked_at = [answer for answer in answers if answer.status_code == 401]
        attack.note(len(looked_at) <= LOOKED_AT_MAX, f"{len(looked_at)} were looked at")
