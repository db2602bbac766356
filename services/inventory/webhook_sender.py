"""How messages leave for webhooks: signed, within limits, from a worker's own loop.

A slow receiver keeps none waiting but itself: of one webhook so many messages are under way at
once, of one tenant so many, and each attempt ends within its deadline.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from services.inventory.webhooks import metrics, service
from services.inventory.webhooks.rules import (
    ANSWER_KEPT,
    CONNECTIONS_MAX,
    DEADLINE_S,
    OF_TENANT_MAX,
    OF_WEBHOOK_MAX,
    Attempt,
    asked_wait,
    sign,
)
from services.inventory.webhooks.service import Message
from shared.clock import utc_now
from shared.db import OpenFor
from shared.ending import is_ending
from shared.log import log
from shared.outgoing import AddressRefused, OutgoingClient, TimedOut, Unreachable
from shared.security.sealing import Sealer

PAUSE_S = 0.5
TURN_S = 10.0  # So long a lane goes on; then others have their turn.


class WebhookSender:
    """Sends what is due, of all tenants; several workers may do so at once."""

    def __init__(
        self,
        open_for: OpenFor,
        outgoing: OutgoingClient,
        sealer: Sealer,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._open_for = open_for
        self._outgoing = outgoing
        self._sealer = sealer
        self._clock = clock
        self._of_webhook: Counter[UUID] = Counter()
        self._of_tenant: Counter[UUID] = Counter()

    async def run(self) -> None:
        """Send for ever. What ends in the middle is sent again once its lease is over."""
        async with asyncio.TaskGroup() as lanes:
            while True:
                try:
                    await self.begin(lanes)
                except Exception:
                    if is_ending():
                        raise
                    log.exception("webhooks could not be looked for")
                await asyncio.sleep(PAUSE_S)

    async def begin(self, lanes: asyncio.TaskGroup) -> None:
        """Begin a lane for each webhook with something due, as far as the limits let it.

        Those that have none come first: the slow ones of a tenant do not take all of its lanes.
        """
        async with self._open_for(None) as session:
            due = await service.list_due(session, now=self._clock())
        for tenant_id, webhook_id in sorted(due, key=lambda one: self._of_webhook[one[1]]):
            if self._of_tenant.total() >= CONNECTIONS_MAX:
                return
            is_full = self._of_webhook[webhook_id] >= OF_WEBHOOK_MAX
            if not is_full and self._of_tenant[tenant_id] < OF_TENANT_MAX:
                self._of_webhook[webhook_id] += 1
                self._of_tenant[tenant_id] += 1
                lanes.create_task(self._send_all(tenant_id, webhook_id))

    async def _send_all(self, tenant_id: UUID, webhook_id: UUID) -> None:
        """Send one message after the other until none is due, one fails, or the turn is over."""
        ends_at = time.monotonic() + TURN_S
        try:
            while await self._send_next(tenant_id, webhook_id) and time.monotonic() < ends_at:
                pass
        except Exception:
            if is_ending():
                raise
            log.exception("a webhook could not be served", webhook_id=webhook_id)
        finally:
            _count_down(self._of_webhook, webhook_id)
            _count_down(self._of_tenant, tenant_id)

    async def _send_next(self, tenant_id: UUID, webhook_id: UUID) -> bool:
        """Send the next message; say whether there was one, and it went well."""
        async with self._open_for(tenant_id) as session:
            message = await service.take_next(
                session, tenant_id, webhook_id, sealer=self._sealer, now=self._clock()
            )
        if message is None:
            return False
        started = time.perf_counter()
        attempt = await self._try(message)
        metrics.duration.observe(time.perf_counter() - started)
        async with self._open_for(tenant_id) as session:
            await service.finish(session, message, attempt, now=self._clock())
        return attempt.is_success

    async def _try(self, message: Message) -> Attempt:
        if not message.secrets:
            return Attempt(error="secret_unreadable")
        timestamp, message_id = int(self._clock().timestamp()), str(message.event_id)
        signature = sign(message.secrets, message_id, timestamp, message.payload)
        headers = [
            ("Content-Type", "application/json"),
            ("User-Agent", "Stockwright-Webhooks/1"),
            ("webhook-id", message_id),
            ("webhook-timestamp", str(timestamp)),
            ("webhook-signature", signature),
        ]
        try:
            answer = await self._outgoing.send(
                "POST",
                message.url,
                headers,
                message.payload.encode(),
                deadline_s=DEADLINE_S,
                body_max=ANSWER_KEPT,
            )
        except AddressRefused:
            return Attempt(error="address_refused")
        except TimedOut:
            return Attempt(error="timeout")
        except Unreachable:
            return Attempt(error="unreachable")
        except Exception:  # Of a kind unheard of: it counts as a try, so it comes to an end.
            if is_ending():
                raise
            log.exception("a webhook could not be asked", webhook_id=message.webhook_id)
            return Attempt(error="unreachable")
        shown = answer.body.decode("utf-8", "replace").replace("\x00", "\ufffd")
        asked = asked_wait(answer.status, answer.headers.get("retry-after"), self._clock())
        return Attempt(status=answer.status, answer=shown, asked=asked)


def _count_down(counted: Counter[UUID], key: UUID) -> None:
    counted[key] -= 1
    if not counted[key]:
        del counted[key]
