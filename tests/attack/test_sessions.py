"""Refresh tokens used twice, by many at once, and too late."""

import asyncio
import time

import pytest

from tests.attack.test_tokens import REVOKED_WITHIN_S, accepted_for_s, last_began_s, present
from tests.attack.world import Client, World, new_person
from tests.support.waiting import eventually, pause

AT_ONCE = 50
ROUNDS = 200
ROUNDS_S = 15.0  # Or so many as fit into this.
IN_A_ROUND = 4


async def refresh(client: Client, token: str):
    return await client.post("/api/auth/refresh", json={"refresh_token": token})


async def race(client: Client, token: str, count: int) -> tuple[set[str], list[int]]:
    """Refresh with one token, many at once; return the successors, and the statuses."""
    answers = await asyncio.gather(*(refresh(client, token) for _ in range(count)))
    given = {a.json()["refresh_token"] for a in answers if a.is_success}
    return given, [a.status_code for a in answers]


@pytest.mark.asvs("C13", "C12")
async def test_many_at_once(attempts, client, world: World):
    person = await new_person(world.client, world.attacker, "viewer")
    with attempts.of("refresh: fifty at once, one successor") as attack:
        successors, statuses = await race(client, person.refresh, AT_ONCE)
        for status in statuses:
            attack.note(status == 200, f"one of {AT_ONCE} at once -> {status}")
        attack.note(len(successors) == 1, f"{len(successors)} successors")
    with attempts.of("refresh: races, round after round") as attack:
        token, started = successors.pop(), time.monotonic()
        for number in range(ROUNDS):
            successors, _ = await race(client, token, IN_A_ROUND)
            attack.note(len(successors) == 1, f"round {number}: {len(successors)} successors")
            token = successors.pop()
            if time.monotonic() - started > ROUNDS_S:
                break


@pytest.mark.asvs("C10", "C11")
async def test_used_again(attempts, client, world: World):
    person = await new_person(world.client, world.attacker, "viewer")
    second = (await refresh(client, person.refresh)).json()
    third = (await refresh(client, second["refresh_token"])).json()
    with attempts.of("refresh: an old token, and all of its family") as attack:
        attack.expect(await refresh(client, person.refresh), 401, code="refresh_reused")
        for token in (person.refresh, second["refresh_token"], third["refresh_token"]):
            attack.expect(await refresh(client, token), 401)
        for pair in (second, third):
            accepted_s = await accepted_for_s(client, pair["access_token"])
            told = f"an access token of the family was let in for {accepted_s:.2f} s"
            attack.note(accepted_s <= REVOKED_WITHIN_S, told)


async def test_forged(attempts, client, world: World):
    person = await new_person(world.client, world.attacker, "viewer")
    token = person.refresh
    with attempts.of("refresh: forged and altered") as attack:
        for place in range(4, len(token)):
            other = "A" if token[place] != "A" else "B"
            altered = token[:place] + other + token[place + 1 :]
            attack.expect(await refresh(client, altered), 401)
        for other in (
            token[:-1],
            f"{token}A",
            f"{token}=",
            token.swapcase(),
            "rt1.",
            person.access,
        ):
            attack.expect(await refresh(client, other[:512]), 401)
        attack.expect(await refresh(client, token), 200)  # All that ended nobody's session.


@pytest.mark.asvs("C09")
async def test_locked_while_fifty_requests_run(attempts, client, world: World):
    """None that starts a second after passes, in reading, writing or refreshing."""
    path = f"/api/users/{{}}/{'lock'}"
    with attempts.of("revoked under load: requests that start later") as attack:
        person = await new_person(world.client, world.attacker, "manager")
        done_at: list[float] = []
        passed: list[tuple[float, float]] = []  # When each began, and how long it took.

        async def ask() -> None:
            while not done_at or time.monotonic() < done_at[0] + 3:
                began = time.monotonic()
                answer = await present(client, person.access, "/api/inventory")
                if answer.is_success:
                    passed.append((began, time.monotonic() - began))
                else:
                    await pause(0.05)  # Refusals would come by thousands.

        asking = [asyncio.create_task(ask()) for _ in range(AT_ONCE)]
        await eventually(lambda: len(passed) > 2 * AT_ONCE)
        boss = world.attacker.boss
        locked = await world.client.post(path.format(person.id), headers=boss.headers)
        assert locked.is_success, locked.text
        done_at.append(time.monotonic())
        await asyncio.gather(*asking)
        last_s = last_began_s(passed) - done_at[0]
        attack.note(last_s <= REVOKED_WITHIN_S, f"the last that passed began {last_s:.2f} s after")
        attack.expect(await refresh(client, person.refresh), 401)
        attack.expect(await present(client, person.access), 401)
