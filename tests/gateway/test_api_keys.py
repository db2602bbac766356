"""Machines call with a key; services see its access token alone."""

import asyncio
from uuid import uuid4

import httpx
import pytest

from gateway import api_keys
from gateway.api_keys import ASKING_SHARE, KNOWN_MAX, ApiKeys
from gateway.errors import ApiKeyRefused, SignInAway
from tests.support.gateway import House, make_token, ok
from tests.support.waiting import eventually

KEY, OTHER = "ik_" + "k" * 86, "ik_" + "o" * 86


@pytest.fixture(autouse=True)
def unknown(running_house):
    """Each test begins without anything known of a key."""
    keys = running_house.gateway._identity._api_keys
    keys._good.clear()
    keys._refused.clear()


def exchanges(house: House) -> int:
    return sum(api_keys.PATH in request.line for request in house.auth.received)


async def with_key(house: House, key: str = KEY, **headers: str) -> httpx.Response:
    own = {"Authorization": f"Bearer {key}", **headers}
    return await house.client.get("/api/inventory", headers=own)


async def test_a_service_sees_the_keys_token_and_never_the_key(house: House):
    token = house.auth.api_keys[KEY] = make_token()

    answer = await with_key(house, Referer="authorization")

    assert answer.status_code == 200
    (received,) = house.inventory.received
    assert received.all("authorization") == [f"Bearer {token}"]
    assert received.all("referer") == ["authorization"]
    assert KEY not in str(received)


async def test_a_key_is_exchanged_once_for_all_that_come_meanwhile(house: House):
    house.auth.api_keys[KEY] = make_token()

    answers = await asyncio.gather(*(with_key(house) for _ in range(20)))

    assert {answer.status_code for answer in answers} == {200}
    assert exchanges(house) == 1


async def test_near_its_end_the_token_is_fetched_anew(house: House):
    house.auth.api_keys[KEY], house.auth.expires_in = make_token(), 31
    await with_key(house)
    renewed = house.auth.api_keys[KEY] = make_token()

    async def is_renewed() -> bool:
        await with_key(house)
        return house.inventory.received[-1].all("authorization") == [f"Bearer {renewed}"]

    await eventually(is_renewed)
    assert exchanges(house) == 2


async def test_what_is_no_key_is_refused_and_not_asked_for_again(house: House):
    answers = [await with_key(house) for _ in range(5)]

    assert {(a.status_code, a.json()["code"]) for a in answers} == {(401, "api_key_invalid")}
    assert exchanges(house) == 1


@pytest.mark.parametrize("key", ["ik_", "ik_x", KEY + "k", KEY[:-1] + "+", KEY[:-1] + "="])
async def test_what_is_not_written_as_a_key_is_not_asked_for_at_all(house: House, key):
    assert (await with_key(house, key)).status_code == 401
    assert exchanges(house) == 0


@pytest.mark.asvs("C08")
async def test_a_revoked_key_is_refused_though_its_token_is_known(house: House):
    key_id = uuid4()
    house.auth.api_keys[KEY] = make_token(sid=key_id)
    assert (await with_key(house)).status_code == 200

    del house.auth.api_keys[KEY]
    house.auth.sessions.append(str(key_id))

    async def is_refused() -> bool:
        return (await with_key(house)).status_code == 401

    await eventually(is_refused)


async def test_a_key_whose_owners_rights_changed_has_a_new_token_at_once(house: House):
    owner = uuid4()
    house.auth.api_keys[KEY] = make_token(sub=owner, ver=1)
    assert (await with_key(house)).status_code == 200

    newer = house.auth.api_keys[KEY] = make_token(sub=owner, ver=2)
    house.auth.versions[str(owner)] = 2

    async def has_the_new_one() -> bool:
        assert (await with_key(house)).status_code == 200
        return house.inventory.received[-1].all("authorization") == [f"Bearer {newer}"]

    await eventually(has_the_new_one)


async def test_while_auth_is_away_known_keys_pass_and_others_are_told_to_come_again(house: House):
    house.auth.api_keys[KEY] = make_token()
    assert (await with_key(house)).status_code == 200
    house.auth.respond = lambda _: ok(b"broken", status="500 Broken")

    known, other = await with_key(house), await with_key(house, OTHER)

    assert known.status_code == 200
    assert (other.status_code, other.json()["code"]) == (503, "identity_unavailable")


class Refusing:
    """Stands for auth, which knows none of the keys."""

    async def post_json(self, *_: object, **__: object) -> None:
        request = httpx.Request("POST", "http://auth")
        raise httpx.HTTPStatusError("", request=request, response=httpx.Response(401))


class Slow:
    """Stands for auth, which takes its time with each key."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()

    async def post_json(self, *_: object, **__: object) -> dict[str, object]:
        await self.may_answer.wait()
        return {"access_token": "token", "expires_in": 900}


async def test_what_is_known_of_guessed_keys_is_bounded_and_pushes_no_good_one_out(monkeypatch):
    monkeypatch.setattr(api_keys, "KNOWN_MAX", 50)
    auth = Slow()
    auth.may_answer.set()
    keys = ApiKeys(auth)
    await keys.token_of(KEY, b"good")
    keys._client = Refusing()
    for number in range(60):
        with pytest.raises(ApiKeyRefused):
            await keys.token_of(f"ik_{number:086d}", b"bad")

    assert len(keys._refused) == 50
    assert keys.find_token(KEY) == "token"
    assert KNOWN_MAX == 10_000


async def test_a_key_that_was_good_and_is_none_any_more_is_not_asked_for_again_and_again():
    now = [0.0]
    auth = Slow()
    auth.may_answer.set()
    keys = ApiKeys(auth, clock=lambda: now[0])
    await keys.token_of(KEY, b"good")
    now[0] = 1_000.0
    keys._client = Refusing()
    with pytest.raises(ApiKeyRefused):
        await keys.token_of(KEY, b"good")

    with pytest.raises(ApiKeyRefused):  # None would mean that auth has to be asked.
        keys.find_token(KEY)


async def test_who_guesses_keys_keeps_none_of_another_network_out():
    auth = Slow()
    keys = ApiKeys(auth)
    guesses = [asyncio.create_task(keys.token_of(f"ik_{n:086d}", b"bad")) for n in range(100)]
    await eventually(lambda: sum(one.done() for one in guesses) == 100 - ASKING_SHARE)
    refused = [one for one in guesses if one.done() and isinstance(one.exception(), SignInAway)]
    good = asyncio.create_task(keys.token_of(KEY, b"good"))
    auth.may_answer.set()

    assert len(refused) == 100 - ASKING_SHARE
    assert await good == "token"
    await asyncio.gather(*guesses, return_exceptions=True)
    assert not keys._askers


async def test_keys_that_have_to_be_asked_for_are_counted_before(house: House):
    house.auth.api_keys[KEY] = make_token()

    first, second = await with_key(house, OTHER), await with_key(house)
    known = await with_key(house)

    assert first.status_code == 401
    assert second.status_code == known.status_code == 200
    assert [exchanges(house), known.headers["ratelimit-policy"].split(";")[0]] == [2, '"read"']
