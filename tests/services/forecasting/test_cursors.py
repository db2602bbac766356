import pytest

from shared.pagination import InvalidCursor
from tests.support.cursors import GARBAGE, assert_no_list_takes_a_tampered_cursor
from tests.support.services import assert_problem, service_headers

pytestmark = pytest.mark.stack


async def test_no_list_takes_a_tampered_cursor(app, client, caller):
    await assert_no_list_takes_a_tampered_cursor(app, client, caller.headers())


@pytest.mark.parametrize("cursor", GARBAGE)
async def test_what_reporting_passes_on_is_refused_as_such(client, caller, cursor):
    """Reporting's list holds a cursor of ours, which its caller may have changed."""
    asked = {"tenant": str(caller.tenant_id), "cursor": cursor}
    headers = service_headers("reporting", "forecast:read", target="forecasting")

    response = await client.get("/internal/recommendations", params=asked, headers=headers)

    assert_problem(response, InvalidCursor)
