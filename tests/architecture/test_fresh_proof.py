"""Dangerous acts need a proof of identity from the last five minutes: one rule for all services."""

from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from services.auth.app import create_app as create_auth
from services.forecasting.app import create_app as create_forecasting
from services.inventory.app import create_app as create_inventory
from services.reporting.app import create_app as create_reporting
from shared.web.permissions import Requires, find_requirement

# To administer people, tenants or the installation, or to agree to a price.
DANGEROUS = {"user:manage", "tenant:manage", "ops:write", "price:approve"}
# What changes one's own account without a fresh proof, and why that is no danger.
HARMLESS = {
    "POST /api/auth/step-up": "it is the proof",
    "POST /api/auth/change-password": "asks for the present password",
    "POST /api/auth/2fa/disable": "asks for the password and a code",
    "POST /api/auth/confirm-email": "was asked for with a fresh proof, and takes the mailed token",
    "PATCH /api/auth/me": "name and language open nothing",
    "PATCH /api/auth/passkeys/{passkey_id}": "its name is for its owner alone",
    "POST /api/auth/logout": "only ends what is open",
    "DELETE /api/auth/sessions": "only ends what is open",
    "DELETE /api/auth/sessions/{session_id}": "only ends what is open",
    "DELETE /api/auth/api-keys/{key_id}": "only ends what is open",
}


def changes() -> Iterator[tuple[str, Requires]]:
    """Yield each operation that changes something and is not for everybody, as its path says it."""
    for create in (create_auth, create_inventory, create_forecasting, create_reporting):
        for route in iter_route_contexts(create(None).routes):
            needed = (
                find_requirement(route.dependant)
                if isinstance(route.original_route, APIRoute)
                else None
            )
            for method in (route.methods or set()) - {"GET", "HEAD"} if needed else ():
                yield f"{method} {route.path_format}", needed


@pytest.mark.asvs("B09")
def test_whatever_administers_needs_a_fresh_proof():
    dangerous = {name: needed for name, needed in changes() if needed.scope in DANGEROUS}

    assert "POST /api/users/{user_id}/lock" in dangerous
    assert [name for name, needed in dangerous.items() if not needed.fresh] == []


@pytest.mark.asvs("B09")
def test_ones_own_account_changes_with_a_fresh_proof_or_harmlessly():
    without = {name for name, needed in changes() if needed.scope is None and not needed.fresh}

    assert without == set(HARMLESS)
