"""From what happens to a receiver that takes it, refuses it, hangs, is gone, or lies inside."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import sys
import time
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from services.inventory import webhook_sender
from services.inventory.webhooks import service
from services.inventory.webhooks.rules import ANSWER_KEPT, DISABLED_AFTER, EVENTS_KEPT, TRIES_MAX
from shared.clock import utc_now
from shared.db import Stamp
from shared.outgoing import OutgoingClient
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

MOVED = "inventory.stock-moved.v1"


def verifies(secret, one):
    """Say whether a request carries a signature by this secret, by the specification's words."""
    signed = f"{one.id}.{one.headers['webhook-timestamp']}.".encode() + one.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return f"v1,{expected}" in one.headers["webhook-signature"].split(" ")


async def test_a_movement_reaches_the_receiver_signed_and_without_what_is_sealed(
    hooks, collect, send, make_location, make_item, move, superuser
):
    webhook = await hooks.add(event_types=[MOVED])
    await make_location()
    await make_item()
    moved = (await move(quantity="12.5", unit_cost="7391.4273")).json()

    await collect()
    await send()

    [one] = hooks.receiver.at("/hook")
    assert verifies(webhook["secret"], one)
    assert one.headers["content-type"] == "application/json"
    assert abs(time.time() - int(one.headers["webhook-timestamp"])) < 60
    payload = one.payload
    assert payload.keys() == {"type", "timestamp", "sequence", "data"}
    assert (payload["type"], payload["sequence"]) == (MOVED, 1)
    assert payload["data"]["movement_id"] == moved["id"]
    assert payload["data"]["quantity"] in (12.5, "12.5", "12.5000")
    assert b"sealed" not in one.body
    assert b"7391" not in one.body
    entry = await superuser.fetchrow(
        "SELECT type, recorded_at FROM inventory.journal WHERE id = $1", UUID(one.id)
    )
    assert entry["type"] == MOVED
    [delivery] = await hooks.deliveries(webhook)
    assert (delivery["state"], delivery["status"], delivery["attempts"]) == ("delivered", 204, 1)


async def test_what_happened_before_or_is_collected_twice_is_not_sent_twice(
    hooks, collect, send, make_item, resources, superuser
):
    await make_item("OLD")
    await hooks.add(event_types=["inventory.item-saved.v1"])
    await make_item("NEW")
    await collect()
    rows = await superuser.fetch(
        "SELECT id, type, data, recorded_at FROM inventory.journal WHERE tenant_id = $1",
        hooks.caller.tenant_id,
    )
    entries = [
        {"id": str(row["id"]), "type": row["type"], "data": json.loads(row["data"]),
         "recorded_at": row["recorded_at"].isoformat()} for row in rows
    ]  # fmt: skip

    for _ in range(2):
        async with resources.database.transaction(Stamp(hooks.caller.tenant_id, "test")) as session:
            await service.collect(session, entries)
    await send()

    assert [one.payload["data"]["code"] for one in hooks.receiver.received] == ["NEW"]


async def test_what_happens_in_other_services_is_told_too(hooks, send, receiver, resources, caller):
    await hooks.add(event_types=["auth.user-profile-changed.v1", "auth.user-locked.v1"])
    about = {"recorded_at": utc_now().isoformat()}
    entries = [
        {"id": str(uuid4()), "type": "auth.user-locked.v1", "data": {"user_id": "u"}, **about},
        {"id": str(uuid4()), "type": "auth.user-profile-changed.v1",
         "data": {"user_id": "u", "changed": ["name"], "before": "x", "after": "y"}, **about},
        {"id": str(uuid4()), "type": "auth.user-signed-in.v1", "data": {}, **about},
        {"id": str(uuid4()), "type": "auth.user-locked.v9", "data": {}, **about},
    ]  # fmt: skip
    async with resources.database.transaction(Stamp(caller.tenant_id, "test")) as session:
        await service.collect(session, entries)

    await send()

    told = {one.payload["type"]: one.payload["data"] for one in receiver.received}
    assert told == {
        "auth.user-locked.v1": {"user_id": "u"},
        "auth.user-profile-changed.v1": {"user_id": "u", "changed": ["name"]},
    }


async def test_what_fails_is_tried_for_a_day_then_dead_and_sent_again_by_hand(
    hooks, send, receiver, clock
):
    webhook = await hooks.add()
    receiver.answers["/hook"] = (503, {}, b"busy " * 1000)
    event_id = await hooks.ping(webhook)
    for tries in range(1, TRIES_MAX + 1):
        await send()
        [delivery] = await hooks.deliveries(webhook)
        assert delivery["attempts"] == tries
        if delivery["state"] == "waiting":
            clock.move_to(delivery["next_attempt_at"])
    await send()

    [dead] = await hooks.deliveries(webhook, state="dead")
    assert (dead["event_id"], dead["status"], dead["next_attempt_at"]) == (event_id, 503, None)
    assert dead["answer"] == ("busy " * 1000)[:ANSWER_KEPT]
    assert len(receiver.received) == TRIES_MAX
    assert {one.id for one in receiver.received} == {event_id}

    receiver.answers.clear()
    await hooks.do("POST", webhook, f"/deliveries/{event_id}/resend")
    await send()
    assert receiver.received[-1].id == event_id
    [delivery] = await hooks.deliveries(webhook)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 1)


async def test_a_redirection_is_not_followed(hooks, send, receiver):
    webhook = await hooks.add("/moved")
    receiver.answers["/moved"] = (307, {"Location": f"{receiver.url}/elsewhere"}, b"")
    await hooks.ping(webhook)

    await send()

    assert [one.path for one in receiver.received] == ["/moved"]
    [delivery] = await hooks.deliveries(webhook)
    assert (delivery["state"], delivery["status"]) == ("waiting", 307)


async def test_who_hangs_is_left_and_keeps_nobody_waiting(hooks, sender, receiver, monkeypatch):
    slow, quick = await hooks.add("/slow"), await hooks.add("/quick")
    receiver.held.add("/slow")
    for _ in range(20):
        await hooks.ping(slow)
    monkeypatch.setattr(webhook_sender, "DEADLINE_S", 3.0)
    async with asyncio.TaskGroup() as lanes:
        for _ in range(10):  # As many lanes as it may have.
            await sender.begin(lanes)
        await eventually(lambda: len(receiver.at("/slow")) == webhook_sender.OF_WEBHOOK_MAX)
        await hooks.ping(quick)
        await sender.begin(lanes)
        await eventually(lambda: receiver.at("/quick"))
        assert {one["error"] for one in await hooks.deliveries(slow)} == {None}
        assert len(receiver.at("/slow")) == webhook_sender.OF_WEBHOOK_MAX

    assert {one["error"] for one in await hooks.deliveries(slow)} == {None, "timeout"}
    [delivery] = await hooks.deliveries(quick)
    assert delivery["state"] == "delivered"


async def test_a_lane_that_ends_goes_to_who_has_none(sender, caller, monkeypatch):
    """Three slow ones have all that a tenant may have; whoever waits is next."""
    slow, waiting = [uuid4() for _ in range(3)], uuid4()
    due, begun, ends = list(slow), [], asyncio.Queue()

    async def list_due(_session, *, now):
        return [(caller.tenant_id, each) for each in due]

    async def send_next(_tenant_id, webhook_id):
        begun.append(webhook_id)
        await ends.get()
        return False

    monkeypatch.setattr(service, "list_due", list_due)
    monkeypatch.setattr(sender, "_send_next", send_next)
    async with asyncio.TaskGroup() as lanes:
        for _ in range(6):
            await sender.begin(lanes)
        await eventually(lambda: len(begun) == webhook_sender.OF_TENANT_MAX)
        due.append(waiting)
        ends.put_nowait(None)
        await eventually(lambda: sender._of_tenant.total() < webhook_sender.OF_TENANT_MAX)
        await sender.begin(lanes)
        await eventually(lambda: len(begun) > webhook_sender.OF_TENANT_MAX)
        for _ in begun:
            ends.put_nowait(None)

    assert begun[-1] == waiting
    assert waiting not in begun[:-1]


async def test_a_name_that_leads_inside_is_not_connected_to(hooks, sender, send, monkeypatch):
    webhook = await hooks.add("https://hooks.example.com/x")
    resolved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", 443))]
    strict = OutgoingClient(allows_loopback=False, allows_private=False, connections_max=4)
    monkeypatch.setattr(sender, "_outgoing", strict)
    await hooks.ping(webhook)
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *more, **named: (
            resolved if host == "hooks.example.com" else resolve(host, *more, **named)
        ),
    )

    await send()

    [delivery] = await hooks.deliveries(webhook)
    assert (delivery["error"], delivery["status"]) == ("address_refused", None)
    await strict.close()


async def test_what_nobody_has_heard_of_counts_as_a_try(hooks, sender, send, monkeypatch):
    webhook = await hooks.add()
    await hooks.ping(webhook)

    async def fail(*_args, **_named):
        raise ValueError

    monkeypatch.setattr(sender._outgoing, "send", fail)
    await send()

    [found] = await hooks.deliveries(webhook)
    assert (found["state"], found["attempts"], found["error"]) == ("waiting", 1, "unreachable")


async def test_nobody_there_is_told(hooks, send):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    webhook = await hooks.add(f"http://127.0.0.1:{port}/")
    await hooks.ping(webhook)

    await send()

    [delivery] = await hooks.deliveries(webhook)
    assert (delivery["error"], delivery["state"]) == ("unreachable", "waiting")


async def test_what_fails_for_days_is_switched_off_and_its_owner_told(
    hooks, send, receiver, clock, superuser, collect, make_location
):
    webhook = await hooks.add(event_types=["inventory.location-saved.v1"])
    receiver.answers["/hook"] = (500, {}, b"")
    await hooks.ping(webhook)
    await send()
    assert (await hooks.do("GET", webhook))["failing_since"]
    clock.ahead += DISABLED_AFTER
    await send()

    off = await hooks.do("GET", webhook)
    assert (off["active"], off["disabled_reason"]) == (False, "failing")
    told = await superuser.fetchval(
        "SELECT data FROM inventory.journal WHERE type = 'inventory.webhook-disabled.v1' "
        "AND subject = $1",
        f"webhook:{webhook['id']}",
    )
    assert json.loads(told)["owner_id"] == str(hooks.caller.id)
    receiver.answers.clear()
    await hooks.add("/other", event_types=["inventory.location-saved.v1"])
    await make_location()
    await collect()
    await send()
    assert [one.path for one in receiver.received] == ["/hook", "/hook", "/other"]

    await hooks.do("PATCH", webhook, "", {"active": True})
    replayed = await hooks.do("POST", webhook, "/replay", {"from_sequence": 1})
    assert replayed == {"queued": 1, "next_sequence": None}
    clock.ahead += timedelta(minutes=1)
    await send()
    first, again = receiver.received[-2:]
    assert {one.path for one in receiver.received[-2:]} == {"/hook"}
    assert {first.payload["type"], again.payload["type"]} == {
        "webhook.ping", "inventory.location-saved.v1",
    }  # fmt: skip
    assert (await hooks.do("GET", webhook))["failing_since"] is None


async def test_a_receiver_that_is_gone_is_asked_no_more(hooks, send, receiver):
    webhook = await hooks.add()
    receiver.answers["/hook"] = (410, {}, b"")
    await hooks.ping(webhook)

    await send()

    off = await hooks.do("GET", webhook)
    assert (off["active"], off["disabled_reason"]) == (False, "gone")


async def test_a_new_secret_and_the_one_before_verify_side_by_side_for_a_while(
    hooks, send, receiver, clock
):
    webhook = await hooks.add()
    new = (await hooks.do("POST", webhook, "/rotate-secret", {"overlap_hours": 1}))["secret"]

    await hooks.ping(webhook)
    await send()
    clock.ahead = timedelta(hours=2)
    await hooks.ping(webhook)
    await send()

    during, after = receiver.received
    assert verifies(new, during)
    assert verifies(webhook["secret"], during)
    assert verifies(new, after)
    assert not verifies(webhook["secret"], after)


async def test_a_secret_whose_key_is_gone_sends_nothing(hooks, send, receiver, superuser):
    webhook = await hooks.add()
    await hooks.ping(webhook)
    await superuser.execute(
        "UPDATE inventory.webhooks SET secret_sealed = 'x' WHERE id = $1", UUID(webhook["id"])
    )

    await send()

    [delivery] = await hooks.deliveries(webhook)
    assert (delivery["error"], receiver.received) == ("secret_unreadable", [])


async def test_events_are_forgotten_with_their_deliveries(hooks, resources):
    webhook = await hooks.add()
    await hooks.ping(webhook)
    async with resources.database.transaction(Stamp(None, "test")) as session:
        await service.measure(session, now=utc_now())
        await service.forget_old(session, now=utc_now() + EVENTS_KEPT + timedelta(minutes=1))

    assert await hooks.deliveries(webhook) == []


async def test_a_worker_killed_in_the_middle_loses_nothing(
    hooks, send, receiver, superuser, webhooks_app, tmp_path
):
    """SIGKILL while the receiver holds the request: once the lease is over it comes again."""
    webhook = await hooks.add("/held")
    receiver.held.add("/held")
    event_id = await hooks.ping(webhook)
    settings = tmp_path / "settings.json"
    given = webhooks_app.state.resources.settings
    settings.write_text(json.dumps(plain(given.model_dump()), default=str))
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.services.inventory.webhooks.service.sender_process", settings
    )
    try:
        await eventually(lambda: receiver.at("/held"))
    finally:
        worker.kill()
        await worker.wait()
    receiver.held.clear()
    receiver.released.set()

    await send()
    assert len(receiver.received) == 1  # It is still leased.
    await superuser.execute(
        "UPDATE inventory.webhook_deliveries SET due_at = now() WHERE webhook_id = $1",
        UUID(webhook["id"]),
    )
    await send()

    assert [one.id for one in receiver.received] == [event_id, event_id]
    [delivery] = await hooks.deliveries(webhook)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 2)


def plain(values):
    """Return settings as JSON can carry them."""
    return {
        name: value.get_secret_value() if hasattr(value, "get_secret_value") else value
        for name, value in values.items()
        if value is not None
    }
