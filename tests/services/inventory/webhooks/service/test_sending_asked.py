"""A receiver that says when to come back."""

from datetime import timedelta

import pytest

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("status", [429, 503])
async def test_a_receiver_that_asks_for_time_gets_it(hooks, send, receiver, clock, status):
    webhook = await hooks.add()
    receiver.answers["/hook"] = (status, {"Retry-After": "3600"}, b"")
    await hooks.ping(webhook)

    await send()
    clock.ahead = timedelta(minutes=59)
    await send()

    [delivery] = await hooks.deliveries(webhook)
    assert (delivery["state"], delivery["attempts"]) == ("waiting", 1)
    receiver.answers.clear()
    clock.move_to(delivery["next_attempt_at"])
    await send()
    [delivery] = await hooks.deliveries(webhook)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 2)
