from datetime import timedelta

import pytest
from fastapi import FastAPI

from services.auth.mail import service as mail
from services.auth.mail.rules import LEASE, TRIES_MAX, Mail
from services.auth.vault import Vault
from shared.clock import utc_now
from shared.contracts.auth.tenants import DEFAULT_TENANT_ID
from shared.db import Stamp

pytestmark = pytest.mark.stack


class Outbox:
    """The outbox of the app, a time to send at, and a server that may be away."""

    def __init__(self, app: FastAPI) -> None:
        self._resources = app.state.resources
        self.vault: Vault = self._resources.own
        self.now = utc_now()
        self.away = False
        self.sent: list[str] = []

    async def post(self, subject: str) -> None:
        async with self._resources.database.transaction(Stamp(DEFAULT_TENANT_ID, "t")) as session:
            letter = Mail("ada@example.com", subject, "Text\n", "en")
            mail.post(session, letter, DEFAULT_TENANT_ID, vault=self.vault, now=self.now)

    def open_for(self, tenant_id):
        return self._resources.database.transaction(Stamp(tenant_id, "worker"))

    async def send(self) -> int:
        async def deliver(message) -> None:
            if self.away:
                raise OSError("no route")
            self.sent.append(message["Subject"])

        return await mail.send_due(self.open_for, deliver, vault=self.vault, clock=lambda: self.now)


@pytest.fixture
async def outbox(app: FastAPI, client) -> Outbox:
    made = Outbox(app)
    made.now += timedelta(days=30)
    while await made.send():  # What other tests left behind.
        pass
    made.sent.clear()
    return made


async def test_a_mail_goes_out_once(outbox: Outbox):
    await outbox.post("One")

    assert [await outbox.send(), await outbox.send()] == [1, 0]
    assert outbox.sent == ["One"]


async def test_a_server_that_is_away_is_tried_again_until_it_is_back(outbox: Outbox):
    await outbox.post("Late")
    outbox.away = True
    assert await outbox.send() == 0
    assert await outbox.send() == 0
    outbox.away = False
    outbox.now += timedelta(minutes=1)

    assert await outbox.send() == 1
    assert outbox.sent == ["Late"]


async def test_after_so_many_tries_it_is_given_up(outbox: Outbox):
    await outbox.post("Never")
    outbox.away = True
    for _ in range(TRIES_MAX):
        await outbox.send()
        outbox.now += timedelta(hours=7)
    outbox.away = False

    assert await outbox.send() == 0


async def test_two_workers_do_not_send_the_same(outbox: Outbox):
    await outbox.post("Slow")
    during: list[int] = []

    async def deliver(_message) -> None:
        during.append(await outbox.send())  # Another worker looks meanwhile.

    sent = await mail.send_due(
        outbox.open_for, deliver, vault=outbox.vault, clock=lambda: outbox.now
    )

    assert (sent, during, outbox.sent) == (1, [0], [])


async def test_a_worker_that_died_while_sending_is_followed_by_another(outbox: Outbox):
    await outbox.post("Again")

    async def die(_message) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await mail.send_due(outbox.open_for, die, vault=outbox.vault, clock=lambda: outbox.now)
    assert await outbox.send() == 0
    outbox.now += LEASE

    assert await outbox.send() == 1
