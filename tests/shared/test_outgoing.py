import socket
from typing import Any

import pytest

from shared.outgoing import AddressRefused, OutgoingAnswer, OutgoingClient, Unreachable


async def asked(client: OutgoingClient, url: str, body_max: int = 1000) -> OutgoingAnswer:
    try:
        return await client.send("GET", url, [], b"", deadline_s=5, body_max=body_max)
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
    client = OutgoingClient(allows_loopback=False, allows_private=False, connections_max=2)
    connected: list[Any] = []

    async def connect(*given: Any, **_: Any) -> Any:
        connected.append(given)
        raise Unreachable

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(client._pool._network_backend._inner, "connect_tcp", connect)

    with pytest.raises(AddressRefused):
        await asked(client, "https://login.example.com")
    assert connected == []


def test_the_private_network_is_for_who_says_so_and_link_local_addresses_for_nobody():
    client = OutgoingClient(allows_loopback=False, allows_private=True, connections_max=2)

    assert client.may_connect("10.0.0.7")
    assert client.may_connect("93.184.216.34")
    assert not client.may_connect("169.254.169.254")
    for loopback in (
        "127.0.0.1",
        "::1",
        "0.0.0.0",
        "0.1.2.3",
        "::",
        "::ffff:127.0.0.1",
        "::ffff:0.0.0.0",
        "64:ff9b::127.0.0.1",
        "64:ff9b::",
        "2002:7f00:1::",
    ):
        assert not client.may_connect(loopback), loopback


def test_of_plain_http_only_loopback_is_asked_and_that_only_where_allowed():
    developing = OutgoingClient(allows_loopback=True, allows_private=False, connections_max=2)
    in_production = OutgoingClient(allows_loopback=False, allows_private=True, connections_max=2)

    assert developing.may_ask("http://localhost:9000/hook")
    assert not developing.may_ask("http://example.com/hook")
    for url in (
        "http://localhost:9000/hook", "https://user@example.com", "https://a.com:0/",
        "https://a.com/#part", "https://", "ftp://a.com", "https://a.com:99999",
    ):  # fmt: skip
        assert not in_production.may_ask(url), url


async def test_a_name_that_changes_its_address_leads_to_the_one_that_was_looked_at(
    monkeypatch: pytest.MonkeyPatch,
):
    """DNS rebinding: a second question would be answered with a private address."""
    answers = iter(["93.184.216.34", "10.0.0.7"])
    client = OutgoingClient(allows_loopback=False, allows_private=False, connections_max=2)
    connected: list[str] = []

    async def connect(address: str, *_: Any) -> Any:
        connected.append(address)
        raise OSError

    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), 443))],
    )
    monkeypatch.setattr(client._pool._network_backend._inner, "connect_tcp", connect)

    with pytest.raises(Unreachable):
        await asked(client, "https://hooks.example.com")
    assert connected == ["93.184.216.34"]
