"""Webhooks of those who left, or may not have them any more."""

from datetime import timedelta
from uuid import uuid4

import pytest

from services.inventory.followers import followers
from services.inventory.webhooks.errors import WebhookInactive
from shared.clock import utc_now
from shared.db import Stamp
from shared.journal.apply import apply_whole
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack

LEFT = ("auth.user-deactivated.v1", {"reason": "left"})
DEMOTED = ("auth.user-role-changed.v1", {"before": "admin", "after": "manager"})
LIMITED = ("auth.user-locations-changed.v1", {"before": None, "after": [str(uuid4())]})


@pytest.fixture
def happens(resources, caller):
    """Follow auth's journal, in which this happened to a user."""
    [follower] = [f for f in followers(resources.own) if f.producer == "auth"]

    async def follow(what, user_id=None, ago=timedelta()):
        name, more = what
        data = {"user_id": str(user_id or caller.id)} | more
        entry = {
            "id": str(uuid4()), "type": name, "subject": f"user:{data['user_id']}", "data": data,
            "recorded_at": (utc_now() - ago).isoformat(), "xid": 1, "seq": 1,
        }  # fmt: skip
        stamp = Stamp(caller.tenant_id, "follower:auth")
        async with resources.database.transaction(stamp) as session:
            await apply_whole(session, follower, [entry])

    return follow


@pytest.mark.parametrize(
    ("what", "reason"),
    [(LEFT, "owner_left"), (DEMOTED, "owner_role"), (LIMITED, "owner_limited")],
)
async def test_nothing_is_sent_for_an_owner_who_is_none_any_more(
    hooks, send, receiver, happens, superuser, what, reason
):
    webhook = await hooks.add()
    await hooks.ping(webhook)

    await happens(what)
    await send()

    assert not receiver.received
    found = await hooks.do("GET", webhook)
    assert (found["active"], found["disabled_reason"]) == (False, reason)
    assert found["version"] == webhook["version"] + 1
    told = await superuser.fetchval(
        "SELECT data ->> 'reason' FROM inventory.journal WHERE tenant_id = $1 AND type = $2",
        hooks.caller.tenant_id,
        "inventory.webhook-owner-lost.v1",
    )
    assert told == reason


async def test_an_administrator_switches_it_on_owns_it_and_gets_what_waited_and_came_since(
    hooks, send, collect, receiver, happens, make_item, client
):
    webhook = await hooks.add(event_types=["inventory.item-saved.v1"])
    await make_item("BEFORE")
    await collect()
    await happens(LEFT)
    await make_item("MEANWHILE")
    await collect()
    ping = await client.post(f"/api/webhooks/{webhook['id']}/ping", headers=hooks.caller.headers())
    assert_problem(ping, WebhookInactive)

    hooks.caller = Caller(tenant_id=hooks.caller.tenant_id)
    found = await hooks.do("PATCH", webhook, body={"active": True})
    await hooks.do("POST", webhook, "/replay", {"from_sequence": 1})
    await send()

    assert (found["active"], found["disabled_reason"]) == (True, None)
    assert found["owner_id"] == str(hooks.caller.id)
    told = {one.payload["data"]["code"] for one in receiver.received}
    assert told == {"BEFORE", "MEANWHILE"}

    await happens(LEFT, user_id=webhook["owner_id"])  # Who has none any more.
    assert (await hooks.do("GET", webhook))["active"]
    await happens(LEFT, user_id=hooks.caller.id)
    assert (await hooks.do("GET", webhook))["disabled_reason"] == "owner_left"


async def test_what_happened_before_he_owned_it_or_takes_nothing_away_changes_nothing(
    hooks, happens
):
    webhook = await hooks.add()

    await happens(LEFT, user_id=uuid4())
    await happens(DEMOTED, ago=timedelta(hours=1))
    await happens(("auth.user-role-changed.v1", {"before": "manager", "after": "admin"}))
    await happens(("auth.user-locations-changed.v1", {"before": [str(uuid4())], "after": None}))

    assert (await hooks.do("GET", webhook))["active"]


async def test_who_was_given_the_role_again_switches_his_own_on(hooks, happens):
    webhook = await hooks.add()
    await happens(DEMOTED)

    await hooks.do("PATCH", webhook, body={"active": True})
    await happens(DEMOTED, ago=timedelta(minutes=1))  # As a rebuild tells it again.

    assert (await hooks.do("GET", webhook))["active"]
