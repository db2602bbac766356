import pytest

from tests.support.cursors import assert_no_list_takes_a_tampered_cursor

pytestmark = pytest.mark.stack


async def test_no_list_takes_a_tampered_cursor(app, client, caller, make_location):
    await make_location("Main")

    await assert_no_list_takes_a_tampered_cursor(app, client, caller.headers(), name="Main")
