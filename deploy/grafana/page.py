"""A plain page of the dashboards' pictures, drawn anew each time it is loaded; for this machine."""

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from time import time
from typing import Final
from urllib.parse import parse_qs, urlsplit

import httpx

from deploy.grafana.listing import BOARDS
from deploy.grafana.pictures import draw

MINUTES: Final = 60
MINUTES_MAX: Final = 15 * 24 * 60  # As long as `make monitoring` keeps what it reads.
RANGES: Final = ((15, "15 minutes"), (60, "1 hour"), (360, "6 hours"), (1440, "1 day"))
_AT: Final = {f"/{board.uid}.png": board for board in BOARDS}


def serve_page(port: int, prometheus: str) -> ThreadingHTTPServer:
    """Serve the page on loopback, by a thread that ends with the process."""
    one_at_a_time = Lock()

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            minutes = _minutes_in(asked.query)
            if asked.path == "/":
                self._send(HTTPStatus.OK, "text/html; charset=utf-8", _html(minutes).encode())
            elif (board := _AT.get(asked.path)) is None:
                self._send(HTTPStatus.NOT_FOUND, "text/plain", b"There is no such picture.\n")
            else:
                try:
                    with one_at_a_time:
                        picture = draw(board, prometheus, time(), minutes * 60)
                except httpx.HTTPError:
                    self._send(HTTPStatus.BAD_GATEWAY, "text/plain", b"Prometheus is away.\n")
                else:
                    self._send(HTTPStatus.OK, "image/png", picture)

        def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Page)
    Thread(target=server.serve_forever, daemon=True).start()
    return server


def _minutes_in(query: str) -> int:
    text = parse_qs(query).get("minutes", [""])[0]
    return min(max(int(text), 1), MINUTES_MAX) if text.isdecimal() else MINUTES


def _html(minutes: int) -> str:
    ranges = " · ".join(f'<a href="/?minutes={each}">{name}</a>' for each, name in RANGES)
    pictures = "\n".join(
        f'<p><img src="/{board.uid}.png?minutes={minutes}" alt="{board.title}" width="1280"></p>'
        for board in BOARDS
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Stockwright</title>'
        f'<body style="font-family: sans-serif; margin: 2em"><p>{ranges}</p>\n{pictures}\n'
    )
