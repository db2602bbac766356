import pytest

from gateway.upstreams import ROUTES, SERVICES, Route, RouteTable

TABLE = RouteTable()


@pytest.mark.parametrize(
    ("path", "prefix"),
    [
        (b"/api/inventory", "/api/inventory"),
        (b"/api/inventory/", "/api/inventory"),
        (b"/api/inventory/movements", "/api/inventory"),
        (b"/api/inventory/movements/bulk", "/api/inventory/movements/bulk"),
        (b"/api/inventory/movements/bulkier", "/api/inventory"),
        (b"/api/auth/login", "/api/auth/login"),
        (b"/api/auth/login/x", "/api/auth/login"),
        (b"/api/auth/logins", "/api/auth"),
        (b"/api/ai/consumption/derive", "/api/ai/consumption/derive"),
        (b"/.well-known/jwks.json", "/.well-known/jwks.json"),
    ],
)
def test_the_longest_prefix_wins(path, prefix):
    route = TABLE.find(path)

    assert route is not None
    assert route.prefix == prefix


@pytest.mark.parametrize(
    "path",
    [b"/", b"/api", b"/api/", b"/api/inventoryx", b"/internal", b"/internal/journal", b"/metrics",
     b"/health", b"/openapi.json", b"/x/api/inventory", b"/API/inventory", b"/wellknown/jwksxjson",
     b"/api/inventory\n"],
)  # fmt: skip
def test_whatever_is_not_in_the_table_does_not_exist(path):
    assert TABLE.find(path) is None


def test_the_table_is_sound():
    assert len({route.prefix for route in ROUTES}) == len(ROUTES)
    for route in ROUTES:
        assert route.prefix.startswith(("/api/", "/.well-known/"))
        assert not route.prefix.endswith("/")
        assert route.service in SERVICES
        assert 0 < route.timeout_s <= 120
        assert not (route.public and route.scope)


def test_only_signing_in_and_the_keys_are_public():
    assert {route.prefix for route in ROUTES if route.public} == {
        "/.well-known/jwks.json", "/api/auth/login", "/api/auth/register", "/api/auth/refresh",
    }  # fmt: skip


def test_a_prefix_is_no_pattern():
    table = RouteTable([Route("/a.c", "auth")])

    assert table.find(b"/a.c")
    assert table.find(b"/abc") is None
