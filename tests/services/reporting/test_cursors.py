import pytest

from tests.support.cursors import assert_no_list_takes_a_tampered_cursor

pytestmark = pytest.mark.stack


async def test_no_list_takes_a_tampered_cursor(reporting_app, client, caller):
    await assert_no_list_takes_a_tampered_cursor(reporting_app, client, caller.headers())
