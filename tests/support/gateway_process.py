"""The gateway as a process of its own, in front of services of the test."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from tests.support.gateway import Auth
from tests.support.ports import reserved_port
from tests.support.through_gateway import GATEWAY_KEY
from tests.support.waiting import PATIENCE_S, eventually


@dataclass
class GatewayProcess:
    """A running gateway."""

    port: int
    process: asyncio.subprocess.Process

    async def ended(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.process.wait()


@asynccontextmanager
async def running_gateway(**environment: str) -> AsyncIterator[GatewayProcess]:
    """Give a gateway that is ready, with an auth of the test's own behind it."""
    auth = Auth()
    auth.reset()
    await auth.start()
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    own = {
        "GATEWAY_CLIENT_SECRET": "s", "GATEWAY_KEY": GATEWAY_KEY, "METRICS_TOKEN": "66" * 32,
        "AUTH_URL": f"http://127.0.0.1:{auth.port}", "REDIS_URL": "redis://127.0.0.1:9",
        "RATE_LIMIT_SCALE": "1000",
    }  # fmt: skip
    with reserved_port() as port:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway",
            env=kept | own | {"GATEWAY_PORT": str(port)} | environment,
        )  # fmt: skip
        try:
            await eventually(lambda: is_ready(port))
            yield GatewayProcess(port, process)
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
            await auth.stop()


async def is_ready(port: int) -> bool:
    """Say whether a gateway answers there, and knows auth's keys."""
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(f"http://127.0.0.1:{port}/health/ready")).is_success
        except httpx.TransportError:
            return False
