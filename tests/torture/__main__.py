"""`make torture`: 32 clients, mixed traffic on few items, and everything breaks meanwhile."""

import argparse
import asyncio
import secrets
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.torture import clocks, disks
from tests.torture.plan import Fault, Plan, as_text, faults, from_text
from tests.torture.run import Report, play_run
from tests.torture.world import tortured

ROUND_S = 300.0  # A long run is made of rounds, each judged by itself in a tenant of its own.


def main(arguments: list[str]) -> int:
    wanted = _parser().parse_args(arguments)
    seconds = wanted.hours * 3600 if wanted.hours else wanted.seconds
    say(f"seed {wanted.seed}: make torture ARGUMENTS='{_again(wanted, seconds)}' plans it again")
    reports: list[Report] = []
    kinds = Path(wanted.faults).read_text() if wanted.faults else ""
    wanted.with_clocks = not wanted.faults or "skew" in kinds
    wanted.with_disk = bool(wanted.hours) or "fill" in kinds
    with tempfile.TemporaryDirectory(prefix="torture-", ignore_cleanup_errors=True) as folder:
        asyncio.run(_rounds(Path(folder), wanted, seconds, reports))
    return _tell(reports)


async def _rounds(
    folder: Path, wanted: argparse.Namespace, seconds: float, reports: list[Report]
) -> None:
    async with tortured(
        folder, wanted.seed, with_clocks=wanted.with_clocks, with_disk=wanted.with_disk
    ) as system:
        if wanted.with_disk and system.disk is None:
            say(disks.MISSING)
        if wanted.with_clocks and not system.has_clocks:
            say(clocks.MISSING)
        number, ends = 0, time.monotonic() + seconds
        while not number or ends - time.monotonic() > ROUND_S / 2:
            seed = f"{wanted.seed}/{number}" if number else wanted.seed
            lasts_s = min(seconds, ROUND_S)
            plan = Plan(seed, wanted.clients, lasts_s, _planned(wanted, seed, lasts_s))
            report = await play_run(system, f"t{number}", plan, say)
            reports.append(report)
            say(_line(report))
            for violation in report.violations:
                say(f"  VIOLATION {violation}")
            if report.violations and wanted.keep:
                keep(folder, Path(wanted.keep))
            number += 1


def _planned(wanted: argparse.Namespace, seed: str, seconds: float) -> list[Fault]:
    """Return the faults to inject: those of a file, or else those of the seed."""
    planned = from_text(Path(wanted.faults).read_text()) if wanted.faults else faults(seed, seconds)
    if wanted.plan:
        Path(wanted.plan).write_text(as_text(planned))
    return planned


def keep(folder: Path, goal: Path) -> None:
    """Keep the logs of a run that went wrong."""
    goal.mkdir(parents=True, exist_ok=True)
    for path in (folder / "state" / "log").glob("*.log"):
        (goal / path.name).write_bytes(path.read_bytes())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make torture")
    parser.add_argument("--seed", default=secrets.token_hex(4), help="makes the same plan again")
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--hours", type=float, default=0)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--faults", help="a file with faults to inject instead, JSON lines")
    parser.add_argument("--plan", help="a file to write the faults to")
    parser.add_argument("--keep", help="a folder for the logs of a run with violations")
    return parser


def _again(wanted: argparse.Namespace, seconds: float) -> str:
    return f"--seed {wanted.seed} --seconds {seconds:.0f} --clients {wanted.clients}"


def _line(report: Report) -> str:
    slowest_s = max(report.recovery_s.values(), default=0)
    return (
        f"{report.seconds:.0f} s: {report.acknowledged} writes acknowledged "
        f"({report.acknowledged / report.seconds:.0f}/s), {report.refused} refused, "
        f"{report.unknown} answers lost, {report.movements} movements, storm {report.storm}, "
        f"{report.faults.total()} faults, recovered in {slowest_s:.1f} s at most, "
        f"{len(report.violations)} violations"
    )


def _tell(reports: list[Report]) -> int:
    injected = sum((report.faults for report in reports), Counter[str]())
    found = sum(len(report.violations) for report in reports)
    slowest: dict[str, float] = {}
    for report in reports:
        for fault, took_s in report.recovery_s.items():
            slowest[fault] = max(slowest.get(fault, 0.0), took_s)
    say(f"{'fault':<28} {'times':>5}  until a write succeeded, at most")
    for fault, times in sorted(injected.items()):
        say(f"{fault:<28} {times:>5}  {slowest.get(fault, 0):.1f} s")
    for name in sorted({name for report in reports for name in report.restarts}):
        told = sum((r.restarts.get(name, Counter()) for r in reports), Counter[str]())
        say(f"restart of {name}: " + ", ".join(f"{what} {n}" for what, n in told.most_common()))
    for what in ("kinds", "refusals"):
        counted = sum((getattr(report, what) for report in reports), Counter[str]())
        say(f"{what}: " + ", ".join(f"{name} {n}" for name, n in counted.most_common()))
    say(f"writes acknowledged  {sum(report.acknowledged for report in reports)}")
    say(f"faults injected      {injected.total()}")
    say(f"violations           {found}")
    return 1 if found or not reports else 0


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
