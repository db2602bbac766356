"""`python -m deploy.operator status|access-review|reconcile|preflight|support-bundle|incident …`.

What is answered goes to stdout, for people or with `--json` for programs; how far it is, to stderr.
Exit codes: 0 all is well, 1 it could not be done, 2 the command cannot be read, 3 there are
findings.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence

from deploy.local.errors import StackError
from deploy.local.settings import STATE_DIR, read_settings
from deploy.operator import incident
from deploy.operator.access import review_access
from deploy.operator.bundle import make_bundle
from deploy.operator.errors import OperatorError
from deploy.operator.place import Installation
from deploy.operator.preflight import preflight
from deploy.operator.reconcile import reconcile
from deploy.operator.report import FAILED, Report
from deploy.operator.status import get_status
from shared.log import configure_logging

Command = Callable[[Installation, argparse.Namespace], Report]
EXIT_CODES = (
    "Exit codes: 0 all is well, 1 it could not be done, 2 the command cannot be read, 3 done, and "
    "there are findings."
)
_REDO = "a moment with its offset, such as 2026-11-20T12:00:00Z; left out, 24 hours ago"
_INTO = "a new folder"


def main(words: Sequence[str]) -> int:
    asked = _parser().parse_args(words)
    configure_logging("operator", "WARNING", "console")
    try:
        place = Installation(read_settings(), STATE_DIR, asked.through, asked.url, asked.token_file)
        report: Report = asked.command(place, asked)
    except (OperatorError, StackError) as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    except OSError as error:
        sys.stderr.write(f"{error.strerror or error}: {error.filename or 'operator'}\n")
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return FAILED
    if asked.json:
        sys.stdout.write(json.dumps(report.content, indent=1, ensure_ascii=False, default=str))
        sys.stdout.write("\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in report.lines))
    return report.exit_code


def _parser() -> argparse.ArgumentParser:
    general = argparse.ArgumentParser(add_help=False)
    general.add_argument("--json", action="store_true", help="answer as JSON, for programs")
    general.add_argument(
        "--through", default="", metavar="COMMAND",
        help="what runs a command beside a worker elsewhere: 'docker compose exec -T {worker}'",
    )  # fmt: skip
    general.add_argument("--url", default="", help="the gateway, where it is not of this checkout")
    general.add_argument(
        "--token-file", default="", help="a file with an administrator's access token"
    )
    parser = argparse.ArgumentParser(prog="python -m deploy.operator", epilog=EXIT_CODES)
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    def add(name: str, command: Command, text: str) -> argparse.ArgumentParser:
        one = verbs.add_parser(name, help=text, description=text, parents=[general])
        one.epilog = EXIT_CODES
        one.set_defaults(command=command)
        return one

    add("status", lambda place, _asked: get_status(place), "How the whole is.")
    add("access-review", lambda place, _asked: review_access(place), "Who may do what, everywhere.")
    add("reconcile", lambda place, _asked: reconcile(place), "Compare all that must be equal.")
    add("preflight", lambda place, _asked: preflight(place), "What must hold before going live.")
    bundle = add("support-bundle", make_bundle, "What a helper must know, and nothing private.")
    bundle.add_argument("--into", default="", help="the folder for it; left out, this one")
    _add_incident(verbs, general)
    return parser


def _add_incident(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", general: argparse.ArgumentParser
) -> None:
    text = "Hold everything as it is, see who did what, keep evidence, shut somebody out."
    acts = verbs.add_parser("incident", help=text, description=text).add_subparsers(
        required=True, metavar="ACT"
    )

    def add(name: str, command: Command, text: str) -> argparse.ArgumentParser:
        one = acts.add_parser(name, help=text, description=text, parents=[general])
        one.epilog = EXIT_CODES
        one.set_defaults(command=command)
        return one

    def add_tenants(one: argparse.ArgumentParser) -> None:
        one.add_argument(
            "--tenant", action="append", default=[], help="by id or short name; `all` is everybody"
        )

    freeze = add("freeze", incident.freeze, "Let nobody change stock until it is lifted.")
    freeze.add_argument("--reason", required=True, help="told to everybody who is refused")
    lift = add("lift", incident.lift, "Lift what `freeze` froze.")
    lift.add_argument("--note", required=True, help="why; it is journaled")
    sessions = add("end-sessions", incident.end_sessions, "End all that a person has open.")
    sessions.add_argument("--email", help="whose, in the tenant")
    sessions.add_argument("--lock", action="store_true", help="lock the account too")
    sessions.add_argument("--everybody", action="store_true", help="of all people, everywhere")
    changes = add("changes", incident.list_changes, "Who did what, by the journals.")
    changes.add_argument("--since", help=_REDO)
    changes.add_argument("--actor", help="as the journal names one: user:…, key:…")
    for one in (freeze, lift, sessions, changes):
        add_tenants(one)
    evidence = add("evidence", incident.keep_evidence, "Collect heads, proofs, changes and logs.")
    evidence.add_argument("--since", help=_REDO)
    evidence.add_argument("--into", required=True, help=_INTO)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
