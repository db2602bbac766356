from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.addresses import Networks, Proxies, network_of
from gateway.settings import Settings
from tests.support.gateway import gateway_settings

TRUSTED = Proxies(["10.0.0.0/8", "2001:db8:1::/48"])
PROXY = "10.1.2.3"


def xff(*values: str) -> list[tuple[bytes, bytes]]:
    return [(b"x-forwarded-for", value.encode()) for value in values]


def forwarded(*values: str) -> list[tuple[bytes, bytes]]:
    return [(b"forwarded", value.encode()) for value in values]


@pytest.mark.asvs("E11", "E01")
@pytest.mark.parametrize(
    ("peer", "headers", "client"),
    [
        ("203.0.113.9", xff("1.2.3.4"), "203.0.113.9"),  # Nobody that we know.
        (PROXY, [], PROXY),
        (PROXY, xff("1.2.3.4"), "1.2.3.4"),
        (PROXY, xff("6.6.6.6, 1.2.3.4"), "1.2.3.4"),  # What the client itself wrote stands left.
        (PROXY, xff("6.6.6.6", "1.2.3.4, 10.9.9.9"), "1.2.3.4"),
        (PROXY, xff("6.6.6.6, 1.2.3.4, 2001:db8:1::5"), "1.2.3.4"),
        (PROXY, xff("10.0.0.1, 10.0.0.2"), "10.0.0.1"),  # All of them ours: the farthest.
        (PROXY, xff("6.6.6.6, rubbish, 10.0.0.2"), "10.0.0.2"),
        (PROXY, xff(""), PROXY),
        (PROXY, xff("[2001:db8:9::7]:443"), "2001:db8:9::7"),
        (PROXY, xff("1.2.3.4:5678"), "1.2.3.4"),
        (PROXY, xff("::ffff:1.2.3.4"), "1.2.3.4"),
        (PROXY, forwarded('for=6.6.6.6, for="[2001:db8:9::7]:80";proto=https'), "2001:db8:9::7"),
        (PROXY, forwarded("proto=https;for=1.2.3.4", "for=10.0.0.2"), "1.2.3.4"),
        (PROXY, forwarded("for=unknown"), PROXY),
        (PROXY, [*xff("6.6.6.6"), *forwarded("for=1.2.3.4")], PROXY),  # Which of them is ours?
        (PROXY, [*xff("1.2.3.4"), *forwarded("for=1.2.3.4")], "1.2.3.4"),
    ],
)
def test_the_client_is_the_first_stranger_from_the_right(peer, headers, client):
    assert TRUSTED.client_of(peer, headers) == client.encode()


WRITTEN = st.one_of(st.binary(), st.text('0123456789af.:[]%=;,"for ').map(str.encode))


@given(st.lists(st.tuples(st.sampled_from([b"x-forwarded-for", b"forwarded"]), WRITTEN)))
def test_whatever_stands_there_the_client_is_some_address(headers):
    client = TRUSTED.client_of(PROXY, headers).decode()

    assert str(ip_address(client)) == client


def test_without_trusted_proxies_nobody_is_believed():
    assert Proxies([]).client_of(PROXY, xff("1.2.3.4")) == PROXY.encode()


@pytest.mark.asvs("E11")
def test_a_client_counts_by_its_network():
    assert network_of("192.0.2.7") == "192.0.2.7"
    assert network_of("2001:db8:1:2:3::4") == "2001:db8:1:2::/64"
    assert network_of("::ffff:192.0.2.7") == "192.0.2.7"
    assert network_of("unknown") == "unknown"


def test_the_name_of_a_network_tells_nothing_without_the_key():
    one, other = Networks(b"1" * 32), Networks(b"2" * 32)

    assert one.name_of(b"2001:db8::1") == one.name_of(b"2001:db8::2")
    assert one.name_of(b"192.0.2.7") != one.name_of(b"192.0.2.8")
    assert one.name_of(b"192.0.2.7") != other.name_of(b"192.0.2.7")


@pytest.mark.parametrize("value", ["10.0.0.1/8", "proxy.example", "10.0.0.0/8,nowhere"])
def test_what_is_no_network_ends_the_start(value):
    with pytest.raises(ValueError, match="trusted_proxies"):
        gateway_settings(trusted_proxies=value)


def test_proxies_are_a_list():
    settings: Settings = gateway_settings(trusted_proxies="10.0.0.0/8, 192.0.2.7")

    assert settings.trusted_proxies == {"10.0.0.0/8", "192.0.2.7"}
