import hashlib
from typing import Any

import pytest
from pydantic import TypeAdapter
from redis.exceptions import ConnectionError as RedisAway

from shared.cache import Cache
from shared.security.sealing import Sealer

NAME_KEY = b"n" * 32
ANY: TypeAdapter[Any] = TypeAdapter(Any)


class Store:
    """Redis's `get` and `set`, in memory, or away."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.lifetimes: list[int] = []
        self.away: Exception | None = None

    async def get(self, name: str) -> str | None:
        if self.away:
            raise self.away
        return self.kept.get(name)

    async def set(self, name: str, value: str, ex: int) -> None:
        if self.away:
            raise self.away
        self.kept[name] = value
        self.lifetimes.append(ex)


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def compute():
    class Compute:
        calls = 0
        value: object = {"total": "12.50"}

        async def __call__(self) -> object:
            self.calls += 1
            return self.value

    return Compute()


async def test_a_value_is_computed_once_while_it_lives(store, compute):
    cache = Cache(store, NAME_KEY)

    first = await cache.get_or_compute("stats", "tenant-1", 30, ANY, compute)
    second = await cache.get_or_compute("stats", "tenant-1", 30, ANY, compute)

    assert first == second == {"total": "12.50"}
    assert compute.calls == 1
    assert store.lifetimes == [30]


async def test_keys_and_prefixes_do_not_meet_and_are_not_readable(store, compute):
    cache = Cache(store, NAME_KEY)

    for prefix, key in [("stats", "tenant-1"), ("stats", "tenant-2"), ("value", "tenant-1")]:
        await cache.get_or_compute(prefix, key, 30, ANY, compute)

    assert compute.calls == 3
    assert not any("tenant" in name for name in store.kept)


@pytest.mark.parametrize("error", [RedisAway("away"), OSError("away"), TimeoutError()])
async def test_with_redis_away_everything_is_computed(store, compute, error):
    store.away = error
    cache = Cache(store, NAME_KEY)

    answers = [await cache.get_or_compute("stats", "k", 30, ANY, compute) for _ in range(3)]

    assert answers == [compute.value] * 3
    assert compute.calls == 3


@pytest.mark.parametrize("value", [0, "", [], {}, False])
async def test_an_empty_value_is_a_value(store, compute, value):
    compute.value = value
    cache = Cache(store, NAME_KEY)

    await cache.get_or_compute("stats", "k", 30, ANY, compute)

    assert await cache.get_or_compute("stats", "k", 30, ANY, compute) == value
    assert compute.calls == 1


async def test_a_failure_to_compute_is_not_kept(store):
    async def fail() -> object:
        raise LookupError

    with pytest.raises(LookupError):
        await Cache(store, NAME_KEY).get_or_compute("stats", "k", 30, ANY, fail)

    assert store.kept == {}


async def test_a_sealed_cache_keeps_nothing_readable(store, compute):
    cache = Cache(store, NAME_KEY).sealed_by(Sealer("aa" * 32))

    await cache.get_or_compute("value", "k", 30, ANY, compute)

    assert await cache.get_or_compute("value", "k", 30, ANY, compute) == compute.value
    assert compute.calls == 1
    assert "12.50" not in str(store.kept)


async def test_a_value_that_is_not_ours_is_computed_anew(store, compute):
    cache = Cache(store, NAME_KEY).sealed_by(Sealer("aa" * 32))
    await cache.get_or_compute("value", "mine", 30, ANY, compute)
    compute.value = {"total": "another"}
    await cache.get_or_compute("value", "yours", 30, ANY, compute)
    mine, yours = store.kept
    compute.value = {"total": "fresh"}

    for planted in (store.kept[yours], "garbage", '{"total": "forged"}', ""):
        store.kept[mine] = planted
        assert await cache.get_or_compute("value", "mine", 30, ANY, compute) == {"total": "fresh"}


async def test_a_broken_value_in_a_plain_cache_is_computed_anew(store, compute):
    cache = Cache(store, NAME_KEY)
    await cache.get_or_compute("stats", "k", 30, ANY, compute)
    store.kept = dict.fromkeys(store.kept, "{not json")

    assert await cache.get_or_compute("stats", "k", 30, ANY, compute) == compute.value
    assert compute.calls == 2


async def test_a_value_of_another_form_is_computed_anew(store, compute):
    """As a release before this one kept it."""
    cache = Cache(store, NAME_KEY)
    await cache.get_or_compute("stats", "k", 30, ANY, compute)

    async def numbers() -> dict[str, int]:
        return {"total": 12}

    form = TypeAdapter(dict[str, int])
    assert await cache.get_or_compute("stats", "k", 30, form, numbers) == {"total": 12}


async def test_a_name_tells_nothing_to_whoever_has_not_its_key(store, compute):
    for key in (NAME_KEY, b"o" * 32):
        await Cache(store, key).get_or_compute("stats", "tenant-1", 30, ANY, compute)

    assert len(store.kept) == 2
    assert not any(hashlib.sha256(b"tenant-1").hexdigest()[:32] in name for name in store.kept)
