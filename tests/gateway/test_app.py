import asyncio
from types import SimpleNamespace
from typing import Any, cast

from gateway import app
from gateway.app import Gateway
from tests.support.waiting import eventually


async def test_auth_is_asked_again_whatever_went_wrong(monkeypatch):
    """Nobody would see it: revoked tokens would pass until the gateway is started anew."""
    asked = []

    async def refresh() -> None:
        asked.append(len(asked))
        if len(asked) == 1:
            raise RuntimeError("nobody thought of this")

    monkeypatch.setattr(app, "INTERVAL_S", 0.001)
    fake = SimpleNamespace(
        _keys=SimpleNamespace(loaded=True), _revocations=SimpleNamespace(refresh=refresh)
    )

    following = asyncio.create_task(Gateway._follow_auth(cast("Any", fake)))
    await eventually(lambda: len(asked) > 2)
    following.cancel()

    assert not following.done()
