import pytest

from gateway.routes import ROUTES, SERVICES, Route, RouteTable

TABLE = RouteTable()


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (b"/api/inventory", "/api/inventory"),
        (b"/api/inventory/", "/api/inventory"),
        (b"/api/inventory/0190b0a8", "/api/inventory"),
        (b"/api/inventory/movements/7/reverse", "/api/inventory/movements"),
        (b"/api/inventory/movements/bulk", "/api/inventory/movements/bulk"),
        (b"/api/inventory/movements/bulkier", "/api/inventory/movements"),
        (b"/api/auth/login", "/api/auth/login"),
        (b"/api/auth/login/x", "/api/auth"),
        (b"/api/auth/logins", "/api/auth"),
        (b"/api/users/7/lock", "/api/users"),
        (b"/api/users/7/factor-recovery/approve", "/api/users/{user_id}/factor-recovery"),
        (b"/api/tenants/7/users/8/factor-recovery", "/api/tenants/{tenant_id}/users"),
        (b"/api/tenants/7/limits", "/api/tenants"),
        (b"/api/ai/consumption/derive", "/api/ai/consumption/derive"),
        (b"/api/webhooks/7/replay", "/api/webhooks"),
        (b"/api/scim/v2/Users/7", "/api/scim/v2"),
        (b"/.well-known/jwks.json", "/.well-known/jwks.json"),
    ],
)
def test_the_most_specific_path_wins(path, found):
    route = TABLE.find(path)

    assert route is not None
    assert route.path == found


@pytest.mark.parametrize(
    "path",
    [b"/", b"/api", b"/api/", b"/api/inventoryx", b"/internal", b"/internal/journal", b"/metrics",
     b"/health", b"/openapi.json", b"/x/api/inventory", b"/API/inventory", b"/wellknown/jwksxjson",
     b"/api/inventory\n"],
)  # fmt: skip
def test_whatever_is_not_in_the_table_does_not_exist(path):
    assert TABLE.find(path) is None


def test_the_table_is_sound():
    assert len({route.path for route in ROUTES}) == len(ROUTES)
    for route in ROUTES:
        assert route.path.startswith(("/api/", "/.well-known/"))
        assert not route.path.endswith("/")
        assert route.service in SERVICES
        assert 0 < route.timeout_s <= 120
        assert route.access == "user" or not route.scope
        assert not (route.is_cacheable and route.access != "public")


def test_who_is_not_wholly_signed_in_reaches_single_paths_alone():
    assert [route.path for route in ROUTES if route.access != "user" and not route.is_exact] == []


def test_only_signing_in_and_the_keys_are_public():
    assert {route.path for route in ROUTES if route.access == "public"} == {
        "/.well-known/jwks.json", "/api/auth/login", "/api/auth/register", "/api/auth/refresh",
        "/api/auth/oidc/start", "/api/auth/oidc/finish",
        "/api/auth/verify-email", "/api/auth/resend-verification", "/api/auth/forgot-password",
        "/api/auth/reset-password", "/api/auth/accept-invitation",
    }  # fmt: skip


def test_a_word_goes_before_a_parameter_and_nothing_else_is_a_pattern():
    table = RouteTable(
        [
            Route(path="/a/{id}", service="inventory"),
            Route(path="/a/{id}/b", service="forecasting", is_exact=True),
            Route(path="/a/c.d", service="auth", is_exact=True),
        ]
    )

    assert services_of(table, b"/a/1", b"/a/1/b", b"/a/1/b/2", b"/a/c.d", b"/a/c-d", b"/a") == [
        "inventory", "forecasting", "inventory", "auth", "inventory", None,
    ]  # fmt: skip


def services_of(table: RouteTable, *paths: bytes) -> list[str | None]:
    found = map(table.find, paths)
    return [None if route is None else route.service for route in found]
