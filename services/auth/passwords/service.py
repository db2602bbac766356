"""Accepting and hashing passwords without holding up the event loop: Argon2id in a few threads."""

import asyncio
import os
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from argon2 import PasswordHasher as Argon2
from argon2 import Type
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import SecretStr

from services.auth.passwords import rules
from services.auth.passwords.errors import (
    PasswordCommon,
    PasswordTooLong,
    PasswordTooShort,
    SignInBusy,
)

T = TypeVar("T")

PLACES_PER_THREAD = 100  # Some 25 ms of work each: as many as are served in time on an idle core.
_PATIENCE_S = 3.0  # Beyond it a client hears sooner that we are busy than it would be served.
_NICENESS = 10  # Of hashing: what answers other requests goes first.

# A hash of random bytes nobody kept, with our parameters: verifying against it takes as long as
# against any other and never succeeds.
_NOBODYS = "nobody has this password \N{SNOWMAN}"


class PasswordHasher:
    """Argon2id in at most `threads` threads at once; 19 MiB and about 20 ms of CPU a call."""

    def __init__(self, threads: int, *, length_min: int, patience_s: float = _PATIENCE_S) -> None:
        """`length_min`, in characters, holds for new passwords."""
        self._patience_s = patience_s
        self._length_min = length_min
        self._argon2 = Argon2(
            time_cost=rules.PASSES,
            memory_cost=rules.MEMORY_KIB,
            parallelism=rules.LANES,
            hash_len=rules.HASH_BYTES,
            salt_len=rules.SALT_BYTES,
            type=Type.ID,
        )
        self._threads = ThreadPoolExecutor(
            threads, thread_name_prefix="argon2", initializer=_step_back
        )
        self._places = PLACES_PER_THREAD * threads
        self._turns = asyncio.Semaphore(threads)
        self._nobodys_hash = self._argon2.hash(_NOBODYS)

    async def hash_new(self, password: SecretStr, *, personal: Iterable[str]) -> str:
        """Return the PHC string of a password that somebody chose.

        `personal` are words close to the user, which it may not be made of.
        Raises PasswordTooShort, PasswordTooLong, PasswordCommon.
        """
        chosen = rules.normalised(password.get_secret_value())
        match rules.find_weakness(chosen, length_min=self._length_min, personal=personal):
            case "too_short":
                raise PasswordTooShort(self._length_min)
            case "too_long":
                raise PasswordTooLong(rules.LENGTH_MAX)
            case "common":
                raise PasswordCommon
            case None:
                return await self.hash(chosen)

    async def hash_unknown(self) -> str:
        """Return the PHC string of a password that nobody knows: the account has none."""
        return await self.hash(secrets.token_urlsafe(32))

    async def hash(self, password: str) -> str:
        """Return the PHC string of a normalised password, whatever it is."""
        return await self._in_thread(lambda: self._argon2.hash(password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Say whether it is the password hashed; without a hash it takes as long, and fails."""
        return await self._in_thread(lambda: self._verify(stored, password))

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place among those whose password is checked, and wait there for one's turn.

        Nothing is done for anybody before his turn, so a burst leaves the rest of the process to
        others. Who finds no place is refused at once, who waits too long then. Raises SignInBusy.
        """
        if self._places == 0:
            raise SignInBusy
        self._places -= 1
        try:
            await self._take_turn()
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._places += 1

    def is_outdated(self, stored: str) -> bool:
        """Say whether the hash was made with other parameters than today's."""
        return self._argon2.check_needs_rehash(stored)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, stored: str | None, password: str) -> bool:
        try:
            matches = self._argon2.verify(stored or self._nobodys_hash, password)
        except (VerificationError, InvalidHashError):
            return False
        return matches and stored is not None

    async def _take_turn(self) -> None:
        try:
            async with asyncio.timeout(self._patience_s):
                await self._turns.acquire()
        except TimeoutError:
            raise SignInBusy from None

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _step_back() -> None:
    """Let this thread run after others; Linux counts a thread's niceness apart."""
    with suppress(OSError, AttributeError):
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, 0) + _NICENESS)
