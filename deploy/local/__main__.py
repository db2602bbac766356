"""`python -m deploy.local run|up|down|status|logs|…`, or a verb of a SERVICE.

Modules are imported by the verb that needs them: `up` and `keys` should not wait for the rest.
"""

import sys

PYTHON_MIN = (3, 11)
VERBS = ("run", "up", "down", "status", "logs", "token", "code", "keys", "monitoring")
MAINTENANCE = (
    "rebuild",
    "retry",
    "verify",
    "verify-stock",
    "rotate-keys",
    "replace-keys",
    "recover-administrator",
)


def main(arguments: list[str]) -> int:
    words: list[str] = []
    match arguments:
        case [verb] if verb in VERBS:
            service = ""
        case [verb, service, *words] if verb in MAINTENANCE and words in ([], ["--json"]):
            pass
        case ["checkpoint" | "retention" as verb, service, *words]:
            pass
        case _:
            usage = f"{'|'.join(VERBS)}, {'|'.join(MAINTENANCE)}|checkpoint|retention SERVICE …"
            sys.stderr.write(f"usage: python -m deploy.local {usage} [--json]\n")
            return 2
    from deploy.local.errors import StackError  # noqa: PLC0415 - after the version check.

    try:
        return _do(verb, service, words)
    except StackError as error:
        sys.stderr.write(f"{error}\n")
    except OSError as error:
        sys.stderr.write(f"{error.strerror or error}: {error.filename or 'the local stack'}\n")
    except KeyboardInterrupt:
        sys.stderr.write("\n")
    return 1


def _do(verb: str, service: str, words: list[str]) -> int:
    from deploy.local.settings import STATE_DIR, read_settings  # noqa: PLC0415 - see above.

    if verb == "keys":
        from deploy.local.secrets import as_env_file, fresh  # noqa: PLC0415 - see above.

        sys.stdout.write(as_env_file(fresh()))
        return 0
    settings = read_settings()
    if verb == "run":
        import asyncio  # noqa: PLC0415 - see above.

        from deploy.local.run import run  # noqa: PLC0415 - see above.

        asyncio.run(run(settings))
        return 0
    if verb in (*MAINTENANCE, "checkpoint", "retention"):
        from deploy.local.maintain import maintain  # noqa: PLC0415 - see above.

        return maintain(settings, STATE_DIR, service, [verb, *words])
    if verb in {"token", "code"}:
        from deploy.local.people import administrator  # noqa: PLC0415 - see above.

        person = administrator(settings, STATE_DIR)
        said = person.code() if verb == "code" else person.access_token(settings.url_of("gateway"))
        sys.stdout.write(f"{said}\n")
        return 0
    from deploy.local import background  # noqa: PLC0415 - see above.

    if verb == "up":
        background.up(settings, STATE_DIR)
    elif verb == "down":
        background.down(STATE_DIR)
    elif verb == "logs":
        background.logs(STATE_DIR)
    elif verb == "monitoring":
        from deploy.local.monitoring import monitor  # noqa: PLC0415 - see above.

        monitor(settings, STATE_DIR)
    else:
        return 0 if background.status(settings, STATE_DIR) else 1
    return 0


if __name__ == "__main__":
    if sys.version_info < PYTHON_MIN:
        found = ".".join(str(part) for part in sys.version_info[:3])
        sys.exit(f"Python 3.11 or newer is needed; this is {found}.")
    sys.exit(main(sys.argv[1:]))
