"""What a change of the provider ends, and who is told of it."""

from typing import Any

import httpx
import pytest

from services.auth.sessions.errors import RefreshInvalid
from tests.services.auth.identity_providers.browser import ADA, come_in
from tests.services.auth.people import SignedIn, SignIn
from tests.services.auth.post import PostOffice
from tests.support.identity_provider import CLIENT_ID, Provider
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack


async def refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/api/auth/refresh", json={"refresh_token": token})


@pytest.mark.parametrize("change", ["removed", "another client"])
async def test_the_sessions_that_it_began_end_with_it_and_no_others(
    client: httpx.AsyncClient,
    boss: SignedIn,
    make_user: SignIn,
    provider: Provider,
    settled: Any,
    change: str,
):
    ada = await make_user("ada@example.com")
    await settled(boss)
    provided = (await come_in(client, provider, boss.tenant, **ADA)).json()
    assert (await settled(boss, vouches_for_factor=True)).status_code == 200
    again = await refresh(client, provided["refresh_token"])
    assert again.status_code == 200

    if change == "removed":
        await client.delete("/api/identity-provider", headers=boss.headers())
    else:
        assert (await settled(boss, client_id=f"{CLIENT_ID}-2")).status_code == 200

    assert_problem(await refresh(client, again.json()["refresh_token"]), RefreshInvalid)
    assert (await refresh(client, ada.refresh_token)).status_code == 200


async def test_all_administrators_are_told_of_every_change(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn, settled: Any, post: PostOffice
):
    second = await make_user("second-admin@example.com", role="admin")
    await make_user("clerk-beside@example.com")
    await post.deliver()
    post.sent.clear()

    await settled(boss)
    await settled(boss, vouches_for_factor=True)
    await client.delete("/api/identity-provider", headers=boss.headers())

    expected = [
        "Your identity provider was changed",
        "Your identity provider stands in for the second factor",
        "Your identity provider was removed",
    ]
    for who in (boss, second):
        assert sorted(mail["Subject"] for mail in await post.to(who.email)) == sorted(expected)
    assert not await post.to("clerk-beside@example.com")
