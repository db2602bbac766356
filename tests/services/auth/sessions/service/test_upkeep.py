"""What ends the sessions of everybody; tokens end with them in tests/e2e/test_backups.py."""

import json
from collections.abc import Callable
from contextlib import suppress

import pytest
from sqlalchemy import text

from services.auth.resources import open_service
from services.auth.sessions import service as sessions
from services.auth.settings import Settings
from shared.clock import utc_now
from shared.contracts.auth.tenants import DEFAULT_TENANT_ID
from shared.db import Stamp
from tests.services.auth.people import SignedIn

pytestmark = pytest.mark.stack


class _TakenBackError(Exception):
    """Other tests go on with their sessions."""


async def test_every_session_of_every_tenant_ends_and_the_journal_says_so(
    platform_admin: SignedIn, boss: SignedIn, make_settings: Callable[..., Settings]
):
    resources = open_service(make_settings())
    stamp = Stamp(DEFAULT_TENANT_ID, "operator")

    with suppress(_TakenBackError):
        async with resources.database.transaction(stamp) as session:
            ended = await sessions.end_everywhere(session, kid="key-1", now=utc_now())
            again = await sessions.end_everywhere(session, kid="key-1", now=utc_now())
            await session.flush()
            found = await session.scalars(
                text("SELECT data::text FROM journal WHERE type = 'auth.all-sessions-ended.v1'")
            )
            told = [json.loads(entry) for entry in found]
            raise _TakenBackError
    await resources.close()

    assert ended >= 2
    assert again == 0
    assert {"kid": "key-1", "sessions": ended} in told
