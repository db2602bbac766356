"""The command line of every service: `python -m services.<name> <verb>...`.

serve runs the web app; work runs the queued and periodic work and follow the followers (both may
be given, to share a process); migrate brings the schema up to date as its owner; rebuild empties
the read models and starts the followers over; retry applies what followers had set aside; openapi
prints the document. verify proves the journal, checkpoint prints, keeps and checks its newest
checkpoint, retention moves its old months into archives. With `--json` what they say is for
programs.

A service may have commands of its own beside these verbs, in `commands.py`: COMMANDS, and
COMMANDS_OF_WORDS, which are told more after their name.
A service is its package: `settings.py` has `Settings`, `resources.py` has `open_service`, `app.py`
has `create_app`, `jobs.py` has `work`, `followers.py` has `followers`; a file it does not need is
absent.
"""

import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import uvloop

from shared import tracing
from shared.collector import calm_collector
from shared.jobs import run_together, run_until_told
from shared.journal import commands as journal_commands
from shared.log import configure_logging
from shared.resources import Resources, probing
from shared.settings import ServiceSettings, load_settings
from shared.tls import client_context, server_context
from shared.told import JSON_WORD, Told, as_told, tell

VERBS = ("serve", "work", "follow", "migrate", "rebuild", "retry", "openapi")
_GRACE_S = 10

Command = Callable[[Resources[Any], Sequence[str]], Awaitable[Told | str]]


def main(package: str) -> None:
    """Run the verbs of the command line for the service in `package`."""
    verbs = [word for word in sys.argv[1:] if word != JSON_WORD]
    calm_collector()  # Before the rest is loaded: it would look at each part of it in vain.
    is_verb = bool(verbs) and (set(verbs) <= set(VERBS) or verbs[0] in journal_commands.VERBS)
    commands = {} if is_verb else _commands(package)
    if not verbs or not (is_verb or verbs[0] in commands):
        choices = "|".join((*VERBS, *commands))
        sys.exit(f"usage: python -m {package} {choices}, {journal_commands.USAGE} [{JSON_WORD}]")
    service = package.rpartition(".")[2]
    if verbs in (["rebuild"], ["retry"]) and not find_spec(f"{package}.followers"):
        sys.exit(f"{service} follows no other service: there is nothing to {verbs[0]}")
    if verbs == ["openapi"]:
        _print_openapi(package)
        return
    settings: ServiceSettings = load_settings(import_module(f"{package}.settings").Settings)
    configure_logging(service, settings.log_level, settings.log_format)
    match verbs:
        case ["serve"]:
            _serve(package, service, settings)
        case ["migrate"]:
            _migrate(package, service, settings)
        case ["rebuild"]:
            uvloop.run(_command(package, settings, partial(_rebuild, package), []))
        case ["retry"]:
            uvloop.run(_command(package, settings, partial(_retry, package), []))
        case [verb, *_] if verb in journal_commands.VERBS:
            uvloop.run(_command(package, settings, journal_commands.run, verbs))
        case [command, *words] if command in commands:
            uvloop.run(_command(package, settings, commands[command], words))
        case _:
            uvloop.run(_run_worker(package, settings, verbs))


def _serve(package: str, service: str, settings: ServiceSettings) -> None:
    import uvicorn  # noqa: PLC0415 - needed by this verb alone.

    app = import_module(f"{package}.app").create_app(settings)
    tracing.start(service, settings.otel_exporter_otlp_endpoint, settings.trace_ratio)
    calm_collector()
    uvicorn.run(
        app,
        host=settings.host,
        port=getattr(settings, f"{service}_port"),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_GRACE_S,
        **_tls_options(settings),
    )


def _tls_options(settings: ServiceSettings) -> dict[str, Any]:
    """Return what has uvicorn show our certificate and take clients of our authority alone."""
    files = settings.service_tls
    if files is None:
        return {}
    secured = server_context(files)
    return {"ssl_context_factory": lambda _config, _default: secured}


def _migrate(package: str, service: str, settings: ServiceSettings) -> None:
    from shared.db import migrate  # noqa: PLC0415 - Alembic is needed by this verb alone.

    if settings.owner_database_url is None:
        sys.exit("configuration error: OWNER_DATABASE_URL: needed to migrate")
    folder = _folder(package) / "migrations"
    files = settings.postgres_tls
    secured = client_context(files) if files else None
    migrate.main(service, folder, settings.owner_database_url.get_secret_value(), secured)


def _print_openapi(package: str) -> None:
    app = import_module(f"{package}.app").create_app(None)
    sys.stdout.write(json.dumps(app.openapi(), indent=2, ensure_ascii=False, sort_keys=True) + "\n")


def _open(package: str, settings: ServiceSettings) -> Resources[Any]:
    resources: Resources[Any] = import_module(f"{package}.resources").open_service(settings)
    return resources


async def _rebuild(package: str, resources: Resources[Any], _words: Sequence[str]) -> Told:
    from shared.journal.follow import is_whole, rebuild  # noqa: PLC0415 - needed by this verb alone.

    followers = import_module(f"{package}.followers").followers(resources.own)
    if not any(follower.apply for follower in followers):
        raise SystemExit(f"{resources.service} keeps no read models: there is nothing to rebuild")
    if resources.client is not None:
        for follower in followers:
            if not await is_whole(follower, resources.client):
                raise SystemExit(
                    f"The first months of {follower.producer}'s journal are in archives: what is "
                    "emptied now could not be made anew. Restore a backup instead."
                )
    await rebuild(followers, resources.database)
    content = {"ok": True, "emptied": [follower.producer for follower in followers]}
    return Told("Emptied; a running worker makes the read models anew.", content)


async def _retry(package: str, resources: Resources[Any], _words: Sequence[str]) -> Told:
    from shared.journal.follow import retry  # noqa: PLC0415 - needed by this verb alone.

    lines, found = [], []
    for follower in import_module(f"{package}.followers").followers(resources.own):
        applied, left = await retry(follower, resources.database)
        entries = f"Entries of {follower.producer}'s journal"
        lines.append(f"{entries}: {applied} applied now, {left} still set aside.")
        found.append({"producer": follower.producer, "applied": applied, "set_aside": left})
    return Told("\n".join(lines), {"ok": True, "followers": found})


def _commands(package: str) -> Mapping[str, Command]:
    """Return what an operator can do with this service alone, from its `commands.py`."""
    if find_spec(f"{package}.commands") is None:
        return {}
    module = import_module(f"{package}.commands")
    alone = {name: _alone(name, command) for name, command in module.COMMANDS.items()}
    return alone | getattr(module, "COMMANDS_OF_WORDS", {})


def _alone(name: str, command: Callable[[Resources[Any]], Awaitable[Told | str]]) -> Command:
    """Return a command that is told nothing more, as one that would refuse it."""

    async def run(resources: Resources[Any], words: Sequence[str]) -> Told | str:
        if words:
            raise SystemExit(f"{name} stands alone: {words[0]} is too much")
        return await command(resources)

    return run


async def _command(
    package: str, settings: ServiceSettings, command: Command, words: Sequence[str]
) -> None:
    resources, as_json = _open(package, settings), JSON_WORD in sys.argv
    try:
        said = await command(resources, words)
    except SystemExit as failure:
        said = as_told(failure)
    finally:
        await resources.close()
    tell(said, as_json=as_json)


async def _run_worker(package: str, settings: ServiceSettings, verbs: list[str]) -> None:
    resources = _open(package, settings)
    process = f"{resources.service}-worker"
    tracing.start(process, settings.otel_exporter_otlp_endpoint, settings.trace_ratio)
    loops: list[Awaitable[None]] = []
    if "work" in verbs:
        loops.append(import_module(f"{package}.jobs").work(resources))
    if "follow" in verbs and find_spec(f"{package}.followers"):
        loops.append(_follow_all(package, resources))
    if settings.metrics_port is not None:
        loops.append(_serve_health(package, settings, resources))
    calm_collector()
    async with probing(resources):
        try:
            await run_until_told(*loops)
        finally:
            await resources.close()


async def _follow_all(package: str, resources: Resources[Any]) -> None:
    from shared.journal.follow import follow  # noqa: PLC0415 - needed by this verb alone.

    followers = import_module(f"{package}.followers").followers(resources.own)
    if resources.client is None:
        raise RuntimeError(f"{package} follows others but has no client secret")
    await run_together(
        resources.waker.listen({follower.producer for follower in followers}),
        *(
            follow(follower, resources.database, resources.client, resources.waker)
            for follower in followers
        ),
    )


async def _serve_health(package: str, settings: ServiceSettings, resources: Resources[Any]) -> None:
    """Serve health and metrics of a worker, which has no web app of its own."""
    from shared.web.app import worker_app  # noqa: PLC0415 - needed by this verb alone.
    from shared.web.beside import serve_beside  # noqa: PLC0415 - same.

    app = worker_app(_folder(package), resources)
    await serve_beside(app, settings, **_tls_options(settings))


def _folder(package: str) -> Path:
    file = import_module(package).__file__
    if file is None:
        raise RuntimeError(f"{package} is not a package with files")
    return Path(file).parent
