"""Calls to a gateway that has no sockets, from any address."""

import asyncio

import httpx
from httptools import HttpResponseParser

from gateway.app import Gateway
from gateway.call import Call


class Written:
    """A client's connection that keeps what is written to it."""

    date = b""
    is_full = False

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.scheme = b"http"
        self.finished = asyncio.Event()
        self.status = 0
        self.keeps_alive = True
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self._parser = HttpResponseParser(self)

    def write(self, data: bytes) -> None:
        self._parser.feed_data(data)
        self.status = self._parser.get_status_code()

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def finish(self, call: Call, *, keep_alive: bool) -> None:
        self.keeps_alive = keep_alive and call.keep_alive
        self.finished.set()

    def abort(self) -> None:
        self.finished.set()

    def want_body(self) -> None:
        pass

    def pause_reading(self) -> None:
        pass


class GatewayTransport(httpx.AsyncBaseTransport):
    """Hands httpx's requests to a gateway, as from `peer`."""

    def __init__(self, gateway: Gateway, peer: str = "127.0.0.1") -> None:
        self._gateway = gateway
        self._peer = peer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        written = Written(self._peer)
        path, _, query = request.url.raw_path.partition(b"?")
        fields = [(name.lower(), value) for name, value in request.headers.raw]
        call = Call(
            written, request.method, path, query, fields, self._gateway.finished, version="1.1"
        )
        body = await request.aread()
        if body:
            call.add_body(body)
        call.end_body()
        self._gateway.handle(call)
        await written.finished.wait()
        return httpx.Response(written.status, headers=written.headers, content=written.body)
