"""Counts where the service's clock is wrong: what counts is the ledger's."""

from datetime import datetime, timedelta

import pytest

from shared.clock import utc_now

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("stock")]


def set_clock(monkeypatch, minutes):
    monkeypatch.setattr(
        "shared.web.requests.utc_now", lambda: utc_now() + timedelta(minutes=minutes)
    )


@pytest.mark.parametrize("minutes", [-3, 3])
async def test_what_came_before_the_opening_is_taken_for_none_and_what_came_after_is_not(
    monkeypatch, open_count, enter, send, on_hand, move, minutes
):
    set_clock(monkeypatch, minutes)
    count = await open_count(with_children=False, items=["B1"])
    await move("receipt", 2, "B1")
    posted = await send("POST", f"/{count['id']}/post", {"uncounted": "zero"})

    assert posted.json()["state"] == "posted", posted.text
    assert await on_hand("B1") == "2"
    assert abs(datetime.fromisoformat(count["opened_at"]) - utc_now()) < timedelta(minutes=1)


@pytest.mark.parametrize("act", ["post", "cancel"])
async def test_a_count_does_not_end_before_it_began(monkeypatch, open_count, enter, send, act):
    count = await open_count(items=["B1"])
    await enter(count, "5", "B1")
    set_clock(monkeypatch, -60)
    closed = (await send("POST", f"/{count['id']}/{act}", {})).json()

    assert closed["state"] != "open"
    assert closed["closed_at"] == count["opened_at"]
