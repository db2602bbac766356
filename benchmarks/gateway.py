"""What the gateway costs: rounds of load on a null service directly, through nginx, through us.

All in one run, since absolute figures of a shared machine mean little: read the ratios and the CPU
time per request. The request carries a token that has been verified before (a cold one: a token
that the gateway has never seen), and counts against four rates in Redis. Needs `wrk`; nginx is
measured where it is installed.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import orjson
import psutil
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from deploy.local.stack import embedded_valkey
from shared.security.claims import UserClaims
from shared.security.tokens import TokenSigner, public_jwks

SERVICE_PORT, GATEWAY_PORT, NGINX_PORT, TWIN_PORT = 18_911, 18_912, 18_913, 18_914
CONNECTIONS = (32, 256)
COLD_TOKENS = 10_000  # More than one round uses.
ROUND_S = 2
ROUNDS = 3
PATH = "/api/inventory"
BODY = orjson.dumps({"items": [{"id": n, "code": "x" * 20} for n in range(24)]})
COLD_SCRIPT = """
local tokens, sent = {{}}, 0
for line in io.lines("{file}") do tokens[#tokens + 1] = "Bearer " .. line end
request = function()
  sent = sent % #tokens + 1
  return wrk.format("GET", "{path}", {{Authorization = tokens[sent]}})
end
"""
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
NGINX_CONFIG = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  keepalive_requests 10000000;
  upstream service {{ server 127.0.0.1:{service}; keepalive 64; keepalive_requests 10000000; }}
  server {{
    listen 127.0.0.1:{port};
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    location / {{ proxy_pass http://service; }}
  }}
}}
"""


@dataclass
class Figures:
    """Of one round. Latencies in milliseconds, CPU in microseconds per request."""

    requests: int
    rps: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


def main() -> None:
    """Print the tables."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is needed: apt-get install wrk")
    pem = _make_key()
    with ExitStack() as stack:
        service = stack.enter_context(_running("serve", JWT_PRIVATE_KEY=pem))
        targets = {"direct": (SERVICE_PORT, service)}
        redis_url = stack.enter_context(embedded_valkey())
        if Path(NGINX).exists():
            targets["nginx"] = (NGINX_PORT, stack.enter_context(_running_nginx()))
        for name, port, processes in (("gateway", GATEWAY_PORT, 1), ("2 processes", TWIN_PORT, 2)):
            running = stack.enter_context(_running_gateway(redis_url, port, processes))
            targets[name] = (port, running)
        [token] = _make_tokens(pem, 1)
        for port, _ in targets.values():
            _wait_for(port, token)
        for connections in CONNECTIONS:
            rounds: dict[str, list[Figures]] = {name: [] for name in targets}
            for _ in range(ROUNDS):  # In turns, so that a disturbance meets all of them.
                for name, (port, process) in targets.items():
                    load = ["-H", f"Authorization: Bearer {token}"]
                    rounds[name].append(_measure(port, process, connections, load))
            if connections == CONNECTIONS[0]:
                rounds["cold tokens"] = [_measure_cold(pem, *targets["gateway"], connections)]
            _print(connections, {name: _best(done) for name, done in rounds.items()})


def serve() -> None:
    """Be the null service, and auth as far as the gateway needs it."""
    answers = {
        "/.well-known/jwks.json": orjson.dumps(public_jwks(os.environ["JWT_PRIVATE_KEY"])),
        "/internal/token": b'{"access_token": "benchmark", "expires_in": 3600}',
        "/internal/revocations": b'{"sessions": [], "versions": {}}',
    }

    async def app(
        scope: dict[str, str], _receive: object, send: uvicorn._types.ASGISendCallable
    ) -> None:
        body = answers.get(scope["path"], BODY)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    uvicorn.run(
        app, port=SERVICE_PORT, loop="uvloop", http="httptools", lifespan="off",
        access_log=False, log_level="warning", timeout_keep_alive=75,
    )  # fmt: skip


def _measure(port: int, process: psutil.Process, connections: int, load: list[str]) -> Figures:
    before_s = _cpu_s(process)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{ROUND_S}s", "--latency", *load,
               f"http://127.0.0.1:{port}{PATH}"]  # fmt: skip
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own command.
    spent_s = _cpu_s(process) - before_s
    if "Non-2xx" in text or "Socket errors" in text:
        sys.exit(f"the run was not clean:\n{text}")
    requests = int(_find(r"(\d+) requests in", text))
    return Figures(
        requests=requests,
        rps=float(_find(r"Requests/sec:\s+([\d.]+)", text)),
        p50_ms=_milliseconds(_find(r"\s50%\s+(\S+)", text)),
        p99_ms=_milliseconds(_find(r"\s99%\s+(\S+)", text)),
        cpu_us=spent_s / requests * 1e6,
    )


def _measure_cold(pem: str, port: int, process: psutil.Process, connections: int) -> Figures:
    """Measure with tokens of which each is sent once."""
    with tempfile.TemporaryDirectory() as folder:
        tokens, script = Path(folder) / "tokens", Path(folder) / "cold.lua"
        tokens.write_text("\n".join(_make_tokens(pem, COLD_TOKENS)))
        script.write_text(COLD_SCRIPT.format(file=tokens, path=PATH))
        figures = _measure(port, process, connections, ["-s", str(script)])
    if figures.requests > COLD_TOKENS:
        sys.exit("more requests than cold tokens: raise COLD_TOKENS")
    return figures


def _best(rounds: list[Figures]) -> Figures:
    return min(rounds, key=lambda each: each.cpu_us)


def _print(connections: int, figures: dict[str, Figures]) -> None:
    direct, nginx = figures["direct"], figures.get("nginx")
    print(f"{connections} connections, {len(BODY)} byte answers, best of {ROUNDS} x {ROUND_S} s")
    print(f"{'':12}{'rps':>9}{'p50 ms':>9}{'p99 ms':>9}{'CPU us':>9}{'/direct':>9}{'/nginx':>9}")
    for name, each in figures.items():
        to_nginx = f"{each.rps / nginx.rps:9.2f}" if nginx else f"{'-':>9}"
        print(
            f"{name:12}{each.rps:9.0f}{each.p50_ms:9.2f}{each.p99_ms:9.2f}{each.cpu_us:9.1f}"
            f"{each.rps / direct.rps:9.2f}{to_nginx}"
        )


@contextmanager
def _running(*arguments: str, **environment: str) -> Iterator[psutil.Process]:
    command = [sys.executable, *arguments]
    if arguments == ("serve",):
        command = [sys.executable, "-m", "benchmarks.gateway", "serve"]
    with _started(command, os.environ | environment) as process:
        yield process


@contextmanager
def _running_gateway(redis_url: str, port: int, processes: int) -> Iterator[psutil.Process]:
    with _running(
        "-m",
        "gateway",
        GATEWAY_PORT=str(port),
        GATEWAY_PROCESSES=str(processes),
        GATEWAY_CLIENT_SECRET="benchmark",  # noqa: S106  The null service takes anything.
        GATEWAY_KEY="44" * 32,
        METRICS_TOKEN="66" * 32,
        REDIS_URL=redis_url,
        RATE_LIMIT_SCALE="1000",  # They are counted, and refuse nobody.
        **{f"{name}_URL": f"http://127.0.0.1:{SERVICE_PORT}" for name in ("AUTH", "INVENTORY")},
    ) as process:
        yield process


@contextmanager
def _running_nginx() -> Iterator[psutil.Process]:
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "nginx.conf"
        config.write_text(NGINX_CONFIG.format(folder=folder, service=SERVICE_PORT, port=NGINX_PORT))
        with _started([NGINX, "-c", str(config)], os.environ) as process:
            yield process


@contextmanager
def _started(command: list[str], environment: Mapping[str, str]) -> Iterator[psutil.Process]:
    process = subprocess.Popen(command, env=environment)  # noqa: S603  Our own commands.
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(port: int, token: str) -> None:
    """Wait until a request passes: for the gateway, until it knows auth's keys."""
    headers = {"Authorization": f"Bearer {token}"}
    for _ in range(200):
        try:
            if httpx.get(f"http://127.0.0.1:{port}{PATH}", headers=headers).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    sys.exit(f"nothing answers on port {port}")


def _cpu_s(process: psutil.Process) -> float:
    """Return the CPU time of a process and those below it, in seconds."""
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return float(sum(each.user + each.system for each in times))


def _make_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _make_tokens(pem: str, count: int) -> list[str]:
    signer, now = TokenSigner(pem), int(time.time())
    return [
        signer.sign(
            UserClaims(
                sub=uuid4(),
                tid=uuid4(),
                sid=uuid4(),
                ver=1,
                jti=uuid4(),
                iat=now,
                exp=now + 900,
                auth_time=now,
                role="clerk",
                scopes=frozenset({"inventory:read"}),
                amr=("pwd",),
            )
        )
        for _ in range(count)
    ]


def _find(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        sys.exit(f"wrk said something else:\n{text}")
    return found[1]


def _milliseconds(text: str) -> float:
    unit = _find(r"([a-z]+)$", text)
    return float(text.removesuffix(unit)) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["serve"] else main()
