import asyncio
import socket
from typing import Any

import pytest

from services.auth.openid import ProviderClient, ProviderUnreachable, ProviderUnusable
from tests.support.identity_provider import running_provider


async def asked_of(client: ProviderClient, issuer: str) -> str:
    try:
        return (await client.configuration(issuer)).issuer
    finally:
        await client.close()


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.7", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "::1",
     "fd00::1", "fe80::1", "::ffff:10.0.0.7", "0.0.0.0", "224.0.0.1", "192.0.0.8", "fec0::1",
     "64:ff9b::a00:1", "64:ff9b:1::1", "2002:a00:1::", "2002:7f00:1::", "::7f00:1", "::a00:1"],
)  # fmt: skip
async def test_a_name_that_leads_into_a_private_network_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch, address: str
):
    """Also where it has a public address beside that one."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443)),
        (family, socket.SOCK_STREAM, 6, "", (address, 443)),
    ]
    client = ProviderClient(allows_loopback=False, allows_private=False)
    connected: list[Any] = []

    async def resolve(*_: Any, **__: Any) -> Any:
        return found

    async def connect(*given: Any, **_: Any) -> Any:
        connected.append(given)
        raise ProviderUnreachable

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    monkeypatch.setattr(client._pool._network_backend._inner, "connect_tcp", connect)

    with pytest.raises(ProviderUnreachable):
        await asked_of(client, "https://login.example.com")
    assert connected == []


def test_the_private_network_is_for_who_says_so_and_link_local_addresses_for_nobody():
    client = ProviderClient(allows_loopback=False, allows_private=True)

    assert client._may_connect("10.0.0.7")
    assert client._may_connect("93.184.216.34")
    assert not client._may_connect("169.254.169.254")
    assert not client._may_connect("127.0.0.1")


async def test_loopback_is_for_development():
    with running_provider() as provider:
        developing = ProviderClient(allows_loopback=True, allows_private=False)
        assert await asked_of(developing, provider.issuer) == provider.issuer

        in_production = ProviderClient(allows_loopback=False, allows_private=True)
        with pytest.raises(ProviderUnusable):
            await asked_of(in_production, provider.issuer)


async def test_an_answer_without_end_is_left():
    with running_provider() as provider:
        provider.configuration = {"more": "x" * 400_000}
        client = ProviderClient(allows_loopback=True, allows_private=False)

        with pytest.raises(ProviderUnreachable):
            await asked_of(client, provider.issuer)


@pytest.mark.parametrize(
    "issuer",
    ["https://" + "a" * 300 + ".com", "https://...", "https://xn--ÿ.com", "https://ä.com",
     "https://exa\u202emple.com", "https://example.com/ä"],
)  # fmt: skip
async def test_what_is_no_name_is_not_asked(issuer: str):
    client = ProviderClient(allows_loopback=False, allows_private=False)

    with pytest.raises((ProviderUnusable, ProviderUnreachable)):
        await asked_of(client, issuer)
