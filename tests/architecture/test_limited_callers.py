"""Who is limited to some locations: only inventory has routes that are held to them."""

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from services.auth.app import create_app as create_auth
from services.forecasting.app import create_app as create_forecasting
from services.reporting.app import create_app as create_reporting
from shared.web.permissions import find_requirement


def scoped(app: FastAPI) -> dict[str, bool]:
    """Whether each route with a scope is for who may work with all locations, by its path."""
    return {
        f"{sorted(route.methods or ())} {route.path_format}": needed.for_all_locations
        for route in iter_route_contexts(app.routes)
        if isinstance(route.original_route, APIRoute)
        and (needed := find_requirement(route.dependant)) is not None
        and needed.scope is not None
    }


def test_reports_forecasts_and_accounts_are_for_who_may_see_all_locations():
    for create in (create_auth, create_forecasting, create_reporting):
        found = scoped(create(None))

        assert found
        assert [path for path, for_all in found.items() if not for_all] == []
