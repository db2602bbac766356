import asyncio
import json

import httpx
import pytest

from shared.security.claims import InvalidToken
from shared.security.jwks import (
    DOCUMENT_LENGTH_MAX,
    FETCH_INTERVAL_S,
    KEYS_MAX,
    REFRESH_INTERVAL_S,
    KeysUnavailable,
    RemoteKeys,
)
from shared.security.tokens import public_jwks
from tests.support.keys import private_pem
from tests.support.waiting import pause

OLD, NEW = private_pem("ours"), private_pem("other")
OLD_KID = public_jwks(OLD)["keys"][0]["kid"]
NEW_KID = public_jwks(NEW)["keys"][0]["kid"]


class Auth:
    """Auth's key endpoint, with a clock that the test moves."""

    def __init__(self, *pems: str) -> None:
        self.now = 1000.0
        self.calls = 0
        self.answer = httpx.Response(200, json=public_jwks(*pems))
        self.away = False
        self.client = httpx.AsyncClient(transport=httpx.MockTransport(self._respond))
        self.keys = RemoteKeys("http://auth/", self.client, clock=lambda: self.now)

    def publish(self, *pems: str) -> None:
        self.answer = httpx.Response(200, json=public_jwks(*pems))

    async def _respond(self, request: httpx.Request) -> httpx.Response:
        assert request.url == "http://auth/.well-known/jwks.json"
        self.calls += 1
        await pause(0.01)
        if self.away:
            raise httpx.ConnectError("away")
        return self.answer


async def test_a_key_is_fetched_once():
    auth = Auth(OLD)

    assert await auth.keys.get(OLD_KID) is await auth.keys.get(OLD_KID)
    assert auth.calls == 1


async def test_many_at_once_share_one_fetch():
    auth = Auth(OLD)

    await asyncio.gather(*(auth.keys.get(OLD_KID) for _ in range(50)))

    assert auth.calls == 1


async def test_who_goes_away_does_not_take_the_fetch_along():
    auth = Auth(OLD)
    first = asyncio.create_task(auth.keys.get(OLD_KID))
    second = asyncio.create_task(auth.keys.get(OLD_KID))
    await asyncio.sleep(0)

    first.cancel()

    assert await second


async def test_an_unknown_kid_asks_again_but_not_more_than_once_a_second():
    auth = Auth(OLD)
    await auth.keys.get(OLD_KID)
    auth.publish(OLD, NEW)
    for _ in range(20):
        with pytest.raises(InvalidToken):
            await auth.keys.get(NEW_KID)
    assert auth.calls == 1

    auth.now += FETCH_INTERVAL_S

    assert await auth.keys.get(NEW_KID)
    assert auth.calls == 2


async def test_known_keys_outlive_auth():
    auth = Auth(OLD)
    await auth.keys.get(OLD_KID)
    auth.away = True
    auth.now += REFRESH_INTERVAL_S + 1

    assert await auth.keys.get(OLD_KID)
    await auth.keys.refresh()
    auth.now += REFRESH_INTERVAL_S
    assert await auth.keys.get(OLD_KID)


async def test_without_any_key_nothing_can_be_said():
    auth = Auth(OLD)
    auth.away = True

    with pytest.raises(KeysUnavailable):
        await auth.keys.get(OLD_KID)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"keys": []}),
        httpx.Response(200, json=[1]),
        httpx.Response(200, text="[" * 50_000),
        httpx.Response(200, json={"keys": [], "padding": "x" * 70_000}),
        httpx.Response(302, headers={"location": "http://elsewhere/"}),
    ],
)
async def test_a_senseless_answer_changes_nothing(answer):
    auth = Auth(OLD)
    await auth.keys.get(OLD_KID)
    auth.answer = answer
    auth.now += FETCH_INTERVAL_S

    await auth.keys.refresh()

    assert auth.calls == 2
    assert await auth.keys.get(OLD_KID)


async def test_a_withdrawn_key_is_dropped_and_said():
    auth = Auth(OLD, NEW)
    await auth.keys.get(OLD_KID)
    generation = auth.keys.generation
    auth.publish(NEW)
    auth.now += FETCH_INTERVAL_S

    await auth.keys.refresh()

    assert auth.keys.generation == generation + 1
    with pytest.raises(InvalidToken):
        await auth.keys.get(OLD_KID)


def document(length: int) -> str:
    """A set with one key, as text of exactly this many bytes."""
    text = json.dumps(public_jwks(OLD))
    return text + " " * (length - len(text))


@pytest.mark.parametrize(("surplus", "is_taken"), [(0, True), (1, False)])
async def test_a_set_of_the_largest_size_is_taken_and_none_larger(surplus, is_taken):
    auth = Auth()
    auth.answer = httpx.Response(200, text=document(DOCUMENT_LENGTH_MAX + surplus))

    await auth.keys.refresh()

    assert auth.keys.loaded is is_taken


@pytest.mark.parametrize(("surplus", "is_taken"), [(0, True), (1, False)])
async def test_as_many_keys_are_taken_as_may_be_and_no_more(surplus, is_taken):
    [key] = public_jwks(OLD)["keys"]
    auth = Auth()
    many = [key | {"kid": f"key-{number}"} for number in range(KEYS_MAX + surplus)]
    auth.answer = httpx.Response(200, json={"keys": many})

    await auth.keys.refresh()

    assert auth.keys.loaded is is_taken


async def test_a_set_is_asked_for_anew_at_its_age_and_not_before():
    auth = Auth(OLD)
    await auth.keys.get(OLD_KID)
    auth.now += REFRESH_INTERVAL_S

    await auth.keys.get(OLD_KID)
    await pause(0.05)
    assert auth.calls == 1
    auth.now += 0.001
    await auth.keys.get(OLD_KID)
    await pause(0.05)

    assert auth.calls == 2


async def test_two_fetches_are_a_second_apart_and_no_more():
    auth = Auth(OLD)
    await auth.keys.refresh()
    auth.now += FETCH_INTERVAL_S - 0.001
    await auth.keys.refresh()
    assert auth.calls == 1
    auth.now += 0.001

    await auth.keys.refresh()

    assert auth.calls == 2
