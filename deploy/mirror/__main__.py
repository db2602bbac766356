"""`python -m deploy.mirror set-up|status|check|cut-over|call-off|drop|work`."""

import argparse
import asyncio
import json
import sys
from dataclasses import asdict

from deploy.local.errors import StackError
from deploy.mirror.checking import CheckResult, check
from deploy.mirror.cutting_over import call_off, cut_over, give_up
from deploy.mirror.errors import MirrorError
from deploy.mirror.job import work
from deploy.mirror.servers import Ends
from deploy.mirror.setting_up import set_up
from deploy.mirror.settings import Settings, find_settings
from deploy.mirror.status import MirrorStatus, read_status
from shared.log import configure_logging
from shared.settings import load_settings

VERBS = {
    "set-up": "make the mirror, or bring it up to date after migrations",
    "status": "say how it follows; exit code 1 where it does not",
    "check": "compare both and name what differs; exit code 1 where anything does",
    "cut-over": "make the mirror the database: freeze, compare, hand over",
    "call-off": "let the primary write again after a cut-over that was killed",
    "drop": "let the mirror follow no more; the primary keeps nothing for it",
    "work": "watch the mirror and serve its metrics, until told to end",
}
AGREE = {"cut-over": "Cut over now?", "drop": "Let it follow no more?"}


def main(words: list[str]) -> int:
    asked = _parser().parse_args(words)
    if asked.verb == "work":
        settings = load_settings(Settings)
        configure_logging("mirror", settings.log_level, settings.log_format)
        asyncio.run(work(settings))
        return 0
    configure_logging("mirror", "WARNING", "console")
    try:
        settings = find_settings()
        _require_agreement(asked)
        return asyncio.run(_do(asked, settings, settings.ends))
    except (MirrorError, StackError) as error:
        if asked.json:
            _write(json.dumps({"error": str(error)}))
        else:
            sys.stderr.write(f"{error}\n")
    except KeyboardInterrupt:
        sys.stderr.write("\n")
    return 1


async def _do(asked: argparse.Namespace, settings: Settings, ends: Ends) -> int:
    say = _progress if asked.json else _write
    match asked.verb:
        case "set-up":
            keep_mb = settings.mirror_wal_keep_mb
            await set_up(ends, wal_keep_mb=keep_mb, empty=asked.empty, say=say)
            return _tell_status(await read_status(ends), as_json=asked.json)
        case "status":
            return _tell_status(await read_status(ends), as_json=asked.json)
        case "check":
            return _tell_check(await check(ends, say), as_json=asked.json)
        case "cut-over":
            done = await cut_over(ends, say)
            if asked.json:
                _write(json.dumps(asdict(done)))
                return 0
            _write(
                f"Done, frozen for {done.frozen_s:.1f} s. Start the services on the mirror: its "
                "address in SUPERUSER_DATABASE_URL, or in DATABASE_URL of each; the passwords of "
                "the roles are the same. The old one stays read only; `set-up --empty` with both "
                "addresses exchanged makes it the mirror."
            )
        case "call-off":
            await call_off(ends)
            say("Thawed       the primary goes on")
        case "drop":
            await give_up(ends)
            say("Dropped      the mirror keeps its rows, and follows no more")
    return 0


def _tell_status(status: MirrorStatus, *, as_json: bool) -> int:
    if as_json:
        _write(json.dumps({**asdict(status), "faults": status.faults}))
    else:
        for name, part in (("Slot", status.slot), ("Subscription", status.subscription)):
            for key, value in asdict(part).items() if part else ():
                _write(f"{name:13}{key:16}{value}")
        for fault in status.faults or ["none: the mirror follows"]:
            _write(f"Faults       {fault}")
    return 1 if status.faults else 0


def _tell_check(found: CheckResult, *, as_json: bool) -> int:
    if as_json:
        _write(json.dumps({**asdict(found), "ok": found.ok}))
    else:
        for row in found.named:
            _write(f"DIFFERS      {row.table}: {row.fault}, {row.key}")
        for name, count in found.differing.items():
            _write(f"DIFFERS      {name}: {count:,} in all")
        verdict = "alike" if found.ok else "not alike"
        _write(
            f"Compared     {found.tables} tables, {found.rows:,} rows up to {found.lsn} in "
            f"{found.duration_s:.1f} s: {verdict}"
        )
    return 0 if found.ok else 1


def _require_agreement(asked: argparse.Namespace) -> None:
    """Raise MirrorError unless a person agrees to what cannot be taken back."""
    if asked.verb not in AGREE or asked.yes:
        return
    if not sys.stdin.isatty():
        raise MirrorError("Nobody is there to agree; say --yes if this is meant.")
    if input(f"{AGREE[asked.verb]} Type yes: ").strip().lower() != "yes":
        raise MirrorError("Nothing was done.")


def _write(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _progress(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.mirror",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="\n".join(f"{verb:10} {does}" for verb, does in VERBS.items()),
    )
    parser.add_argument("verb", choices=tuple(VERBS))
    parser.add_argument("--json", action="store_true", help="the result as JSON, progress aside")
    parser.add_argument("--empty", action="store_true", help="set-up: throw away what lies there")
    parser.add_argument("--yes", action="store_true", help="ask nothing")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
