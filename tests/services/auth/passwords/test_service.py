import asyncio
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from argon2 import PasswordHasher as Argon2
from pydantic import SecretStr

from services.auth.passwords.errors import (
    PasswordCommon,
    PasswordTooLong,
    PasswordTooShort,
    SignInBusy,
)
from services.auth.passwords.service import PLACES_PER_THREAD, PasswordHasher
from tests.support.waiting import eventually

PASSWORD = "gravel umbrella sonnet 7"


@pytest.fixture(scope="module")
def hasher() -> Iterator[PasswordHasher]:
    hasher = PasswordHasher(2, length_min=12)
    yield hasher
    hasher.close()


@pytest.mark.asvs("A04")
async def test_hashes_are_argon2id_with_owasp_parameters_and_own_salts(hasher: PasswordHasher):
    hashes = [await hasher.hash(PASSWORD) for _ in range(2)]

    assert all(re.match(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$", stored) for stored in hashes)
    assert hashes[0] != hashes[1]


@pytest.mark.parametrize(
    "other", [PASSWORD.upper(), PASSWORD + " ", " " + PASSWORD, PASSWORD[:-1], ""]
)
async def test_only_the_exact_password_matches(hasher: PasswordHasher, other: str):
    stored = await hasher.hash(PASSWORD)

    assert await hasher.verify(stored, PASSWORD)
    assert not await hasher.verify(stored, other)


async def test_long_passwords_are_not_cut(hasher: PasswordHasher):
    long = "".join(chr(0x4E00 + i) for i in range(128))
    stored = await hasher.hash(long)

    assert not await hasher.verify(stored, long[:-1])


@pytest.mark.slow
async def test_without_a_hash_nothing_matches_and_it_takes_as_long(hasher: PasswordHasher):
    stored = await hasher.hash(PASSWORD)

    async def median_s(hashed: str | None) -> float:
        times = []
        for _ in range(15):
            started = time.process_time()  # Ours alone, on however busy a machine.
            assert not await hasher.verify(hashed, "something else")
            times.append(time.process_time() - started)
        return sorted(times)[len(times) // 2]

    existing_s, unknown_s = await median_s(stored), await median_s(None)

    assert 0.5 < unknown_s / existing_s < 2  # Loose; no hash would be 0.001.


async def test_a_broken_hash_matches_nothing(hasher: PasswordHasher):
    assert not await hasher.verify("$argon2id$nonsense", PASSWORD)


async def test_older_parameters_are_outdated(hasher: PasswordHasher):
    weak = Argon2(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)

    assert hasher.is_outdated(weak)
    assert not hasher.is_outdated(await hasher.hash(PASSWORD))


@pytest.mark.parametrize(
    ("password", "refusal"),
    [("short", PasswordTooShort), ("é" * 200, PasswordTooLong), ("password1234", PasswordCommon)],
)
async def test_a_new_password_that_the_rules_refuse_is_not_hashed(
    hasher: PasswordHasher, password: str, refusal: type[Exception]
):
    with pytest.raises(refusal):
        await hasher.hash_new(SecretStr(password), personal=())


async def test_a_new_password_may_not_be_made_of_personal_words(hasher: PasswordHasher):
    with pytest.raises(PasswordCommon):
        await hasher.hash_new(SecretStr("lovelace1815"), personal=("ada@lovelace.example",))


async def test_a_new_password_is_hashed_in_its_normal_form(hasher: PasswordHasher):
    stored = await hasher.hash_new(SecretStr("cafe\u0301 gravel sonnet"), personal=())

    assert await hasher.verify(stored, "café gravel sonnet")


@pytest.mark.asvs("A06")
async def test_nothing_is_done_before_ones_turn_and_who_finds_no_place_is_refused():
    hasher = PasswordHasher(1, length_min=12)
    may_end = asyncio.Event()
    under_way = 0

    async def check() -> None:
        nonlocal under_way
        async with hasher.place():
            under_way += 1
            await may_end.wait()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(PLACES_PER_THREAD):
            tasks.create_task(check())
        await eventually(lambda: under_way == 1)

        with pytest.raises(SignInBusy) as refused:
            async with hasher.place():
                raise AssertionError("there was a place")
        assert under_way == 1
        may_end.set()

    assert under_way == PLACES_PER_THREAD
    assert refused.value.header_fields()["Retry-After"] == "2"
    hasher.close()


async def test_who_waits_too_long_for_his_turn_is_refused_and_his_place_is_free_again():
    hasher = PasswordHasher(1, length_min=12, patience_s=0.001)
    async with AsyncExitStack() as held:
        await held.enter_async_context(hasher.place())

        for _ in range(PLACES_PER_THREAD):
            with pytest.raises(SignInBusy):
                await held.enter_async_context(hasher.place())

    async with hasher.place():
        pass
    hasher.close()


async def test_hashing_steps_back_for_other_work():
    hasher = PasswordHasher(1, length_min=12)
    loop = asyncio.get_running_loop()

    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert await loop.run_in_executor(hasher._threads, niceness) > niceness()
    hasher.close()
