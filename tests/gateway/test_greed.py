"""Clients that would take a service from everybody else, and services that do not answer."""

import asyncio
from uuid import uuid4

import pytest

from gateway import proxy
from gateway.clients import Clients
from tests.support.gateway import BULK, House, make_token, ok, read_request
from tests.support.waiting import eventually, pause

POST = "POST /api/inventory HTTP/1.1"
UPLOAD = "/api/inventory/imports"


@pytest.mark.asvs("E07")
@pytest.mark.parametrize("sent", [70_000, 300_000])
async def test_bodies_that_stop_half_way_take_the_service_from_nobody(house: House, sent):
    """A hundred of one user's; small ones wait at the gateway, large ones hold few connections."""
    line = f"POST {BULK} HTTP/1.1"
    stalled = [await asyncio.open_connection("127.0.0.1", house.port) for _ in range(100)]
    for _, writer in stalled:
        writer.write(house.request("Content-Length: 1000000", line=line) + b"x" * sent)
    inventory = house.gateway._services["inventory"]
    await eventually(lambda: len(house.gateway._proxy.running) >= 25)

    headers = {"Authorization": f"Bearer {make_token()}"}
    answers = await asyncio.gather(
        *(house.client.get("/api/inventory", headers=headers) for _ in range(50))
    )

    assert {answer.status_code for answer in answers} == {200}
    assert sum(each.busy for each in inventory.instances) <= 2
    for _, writer in stalled:
        writer.close()
    await eventually(lambda: not house.gateway._proxy.running)
    assert house.gateway._proxy.bodies.total == 0


@pytest.mark.asvs("E07")
async def test_a_body_that_stops_is_408_though_its_time_is_not_up(house: House, monkeypatch):
    monkeypatch.setattr(proxy, "BODY_IDLE_MAX_S", 0.3)

    answer = await house.raw(house.request("Content-Length: 100", line=POST) + b"x")

    assert answer.startswith(b"HTTP/1.1 408 ")


@pytest.mark.asvs("E07")
async def test_a_file_that_trickles_is_408(house: House, monkeypatch):
    monkeypatch.setattr(proxy, "BODY_PACE_S", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(house.request("Content-Length: 1000000", line=f"POST {UPLOAD} HTTP/1.1"))

    async def trickle():
        while True:
            writer.write(b"x")
            await pause(0.02)

    trickling = asyncio.create_task(trickle())
    assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 408 ")
    trickling.cancel()
    writer.close()


class Resting:
    """A client's connection as `Clients` sees it."""

    def __init__(self, peer: str, *, is_waiting: bool = True) -> None:
        self.peer = peer
        self.is_waiting = is_waiting
        self.aborted = False

    def is_too_slow(self, _now: float, _keep_alive_s: float) -> bool:
        return False

    def close_when_answered(self) -> None:
        pass

    def abort(self) -> None:
        self.aborted = True


@pytest.mark.asvs("E07")
def test_the_connection_longest_at_rest_goes_for_a_new_one():
    clients = Clients(400)
    resting = [Resting(f"192.0.2.{n % 200}") for n in range(400)]
    for each in resting:
        assert clients.add(each)

    assert clients.add(Resting("198.51.100.1"))

    assert [each.aborted for each in resting] == [True] + [False] * 399
    assert len(clients.all) == 400


@pytest.mark.asvs("E07")
def test_one_network_has_a_quarter_and_pushes_out_only_its_own():
    clients = Clients(400)
    other = Resting("198.51.100.1")
    clients.add(other)
    greedy = [Resting(f"2001:db8::{n:x}") for n in range(300)]

    assert all(clients.add(each) for each in greedy)

    assert sum(each.aborted for each in greedy) == 200
    assert not other.aborted
    assert len(clients.all) == 101


def test_while_all_are_at_work_a_new_one_is_refused():
    clients = Clients(64)
    for n in range(64):
        clients.add(Resting(f"192.0.2.{n}", is_waiting=False))

    assert not clients.add(Resting("198.51.100.1"))


@pytest.mark.asvs("E12")
@pytest.mark.parametrize(("headers", "tries"), [({}, 1), ({"Idempotency-Key": str(uuid4())}, 2)])
async def test_a_post_is_sent_again_only_with_a_key(house: House, headers, tries):
    """The service breaks off without a byte of an answer, on a connection just made."""
    seen = []

    async def break_off(reader, writer):
        seen.append(await read_request(reader))
        if len(seen) < 2:
            return
        writer.write(ok(b"done"))

    await house.inventory.hang_up()
    house.inventory.script = break_off

    answer = await house.call("POST", "/api/inventory", content=b"{}", headers=headers)

    assert answer.status_code == (200 if tries == 2 else 502)
    assert len(seen) == tries


@pytest.mark.asvs("E12")
async def test_a_get_is_sent_twice_at_most(house: House):
    seen = []

    async def break_off(reader, _writer):
        seen.append(await read_request(reader))

    await house.inventory.hang_up()
    house.inventory.script = break_off

    assert (await house.get("/api/inventory")).status_code == 502
    assert len(seen) == 2


async def test_a_service_that_hangs_is_left_alone_soon(house: House):
    """Its callers need not wait for their time to be up; and it is tried again later."""
    instance = house.gateway._services["inventory"].instances[0]
    now = asyncio.get_running_loop().time()
    for _ in range(5):
        instance.breaker.failed(now)

    answer = await house.get("/api/inventory")

    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    instance.breaker._opened_at -= 60
    assert (await house.get("/api/inventory")).status_code == 200
