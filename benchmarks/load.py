"""Load from `wrk`, and what it cost which process: shared by the benchmarks of the whole system."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil

_REPORT = """
function done(summary, latency, requests)
  local errors = summary.errors.status + summary.errors.timeout + summary.errors.read
  io.write(string.format('\\nREPORT {"count": %d, "seconds": %f, "errors": %d, "p50": %f, '
    .. '"p95": %f, "p99": %f}\\n', summary.requests, summary.duration / 1e6, errors,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3))
end
"""


@dataclass(frozen=True)
class Load:
    """What one round of load got. Latencies in milliseconds, CPU in microseconds a request."""

    per_s: float
    errors: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_us: Mapping[str, float]


def require_wrk() -> None:
    if shutil.which("wrk") is None:
        sys.exit("wrk is needed: apt-get install wrk")


def load(
    url: str,
    script: str,
    *,
    connections: int,
    seconds: int,
    watched: Mapping[str, Sequence[int]] | None = None,
) -> Load:
    """Send what the Lua `script` makes for some seconds; `watched` names groups of process ids."""
    groups = {name: list(_living(pids)) for name, pids in (watched or {}).items()}
    before = {name: _cpu_s(processes) for name, processes in groups.items()}
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script + _REPORT)
        file.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", file.name]
        done = subprocess.run(  # noqa: S603 - our own command.
            [*command, url], capture_output=True, text=True, check=True
        )
    line = next(line for line in done.stdout.splitlines() if line.startswith("REPORT "))
    report = json.loads(line.removeprefix("REPORT "))
    count = max(report["count"], 1)
    return Load(
        per_s=report["count"] / report["seconds"],
        errors=report["errors"],
        p50_ms=report["p50"],
        p95_ms=report["p95"],
        p99_ms=report["p99"],
        cpu_us={
            name: (_cpu_s(processes) - before[name]) / count * 1e6
            for name, processes in groups.items()
        },
    )


def postgres_pids(postmaster: int) -> list[int]:
    """Return the ids of a PostgreSQL server and all its children now."""
    process = psutil.Process(postmaster)
    return [postmaster, *(child.pid for child in process.children(recursive=True))]


def _living(pids: Sequence[int]) -> Iterator[psutil.Process]:
    for pid in pids:
        with suppress(psutil.NoSuchProcess):  # A child of PostgreSQL's may have ended meanwhile.
            yield psutil.Process(pid)


def _cpu_s(processes: Sequence[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total
