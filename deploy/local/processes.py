"""The processes of the system, and exactly what each one is told."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from deploy.local.launch import GIVE_MEMORY_BACK, Program
from deploy.local.secrets import MAKERS, SERVER_PASSWORDS, journal_key_name, password_name
from deploy.local.settings import ROOT, STATE_DIR, LocalSettings
from deploy.postgres.bootstrap import BACKUP_ROLE, DATABASE, SERVICES
from deploy.valkey.acl import url_as

SHARED_SECRETS = ("GATEWAY_KEY", "METRICS_TOKEN")  # All programs hold these.
# The others that each holds besides its database password and its journal's key.
SECRETS: Mapping[str, tuple[str, ...]] = {
    "gateway": ("GATEWAY_CLIENT_SECRET",),
    "auth": (
        "JWT_PRIVATE_KEY",
        "JWT_SECRET",
        "ENCRYPTION_KEY",
        "ADMIN_PASSWORD",
        "GATEWAY_CLIENT_SECRET",
        "INVENTORY_CLIENT_SECRET",
        "FORECASTING_CLIENT_SECRET",
        "REPORTING_CLIENT_SECRET",
        "ARCHIVE_ENCRYPTION_KEY",
    ),
    "inventory": (
        "INVENTORY_ENCRYPTION_KEY",
        "PRICE_ENCRYPTION_KEY",
        "INVENTORY_CLIENT_SECRET",
        "ARCHIVE_ENCRYPTION_KEY",
    ),
    "forecasting": (
        "INVENTORY_ENCRYPTION_KEY",
        "FORECASTING_CLIENT_SECRET",
        "ARCHIVE_ENCRYPTION_KEY",
    ),
    "reporting": ("PRICE_ENCRYPTION_KEY", "REPORTING_CLIENT_SECRET", "ARCHIVE_ENCRYPTION_KEY"),
}
WORKER_VERBS: Mapping[str, tuple[str, ...]] = {
    "auth": ("work",),
    "inventory": ("work", "follow"),
    "forecasting": ("work", "follow"),
    "reporting": ("work", "follow"),
}

# A worker runs a few jobs at a time. Web and worker, 20 + 30 + 8 and 5 + 10 + 2, stay within what
# their role may have of the connections (deploy/postgres/roles.sql).
_WORKER_POOL: Mapping[str, str] = {"PG_POOL_SIZE": "5", "PG_MAX_OVERFLOW": "10"}

# Processes of one machine speak plainly on loopback; an empty variable wins over one in `.env`.
_PLAIN_HERE = (
    *("SERVICE_TLS_CA_CERT", "SERVICE_TLS_CERT", "SERVICE_TLS_KEY"),
    *("GATEWAY_TLS_CERT", "GATEWAY_TLS_KEY"),
)

_OF_MIRROR = ("MIRROR_DATABASE_URL", "MIRROR_PRIMARY_URL")  # With passwords of superusers.
_OF_AUTH = ("SMTP_URL",)  # Given by whoever has a mail server, and told to auth alone.

_CALLERS = ("-worker", "backup", "mirror", "gateway")  # How the names end of who calls services.

# What never reaches a process by inheritance from the shell or `.env`: secrets, which are given
# one by one, and what this table decides.
_DECIDED_HERE = frozenset(
    {
        *MAKERS,
        *SERVER_PASSWORDS,
        "DATABASE_URL",
        "OWNER_DATABASE_URL",
        "SUPERUSER_DATABASE_URL",
        *_OF_MIRROR,
        "JOURNAL_SIGNING_KEY",
        "METRICS_PORT",
        "PG_PASSWORD",
        *_OF_AUTH,
        "PYTHONDONTWRITEBYTECODE",  # Would make every start compile everything again.
    }
)
# What backups alone are told: among it may be the credentials of a remote.
_OF_BACKUPS = ("BACKUP_", "AWS_", "GOOGLE_APPLICATION_")
_OLD_KEYS = "_PREVIOUS"  # NAME_PREVIOUS holds old values of the secret NAME, for rotation.


@dataclass(frozen=True)
class Process:
    """One process of the system, and the port on which it says whether it is ready."""

    program: Program
    health_port: int


@dataclass(frozen=True)
class Plan:
    """What the table needs to know: the person's settings, the secrets, the two servers."""

    settings: LocalSettings
    secrets: Mapping[str, str]
    superuser_dsn: str
    redis_url: str


def processes(plan: Plan) -> list[Process]:
    """Return the services, their workers and, last, the gateway."""
    rows = []
    for service in SERVICES:
        settings = plan.settings
        database = {"DATABASE_URL": _dsn(plan, f"{service}_app")}
        environment = {**_environment(plan, service), **database}
        rows.append(
            Process(
                _python(service, environment, f"services.{service}", "serve"),
                health_port=settings.port_of(service),
            )
        )
        port = settings.worker_port_of(service)
        rows.append(
            Process(
                _python(
                    f"{service}-worker",
                    {**_WORKER_POOL, **environment, "METRICS_PORT": str(port)},
                    f"services.{service}",
                    *WORKER_VERBS[service],
                ),
                health_port=port,
            )
        )
    gateway = Process(
        _python("gateway", _environment(plan, "gateway"), "gateway"),
        health_port=plan.settings.port_of("gateway"),
    )
    backups = []
    if plan.settings.environment.get("BACKUP_ENABLED", "true").lower() not in {"false", "0", "no"}:
        port = plan.settings.worker_port_of("gateway")
        backups.append(Process(backup_program(plan, "work"), health_port=port))
    mirror = []
    if plan.settings.is_mirrored:
        mirror.append(Process(_mirror_program(plan), health_port=plan.settings.mirror_port))
    return [*rows, *backups, *mirror, gateway]


def backup_program(plan: Plan, *words: str) -> Program:
    """Return the job that makes backups, which holds its own key and no other secret."""
    settings = plan.settings
    asked = settings.environment
    own = {name: value for name, value in asked.items() if name.startswith(_OF_BACKUPS)}
    key = plan.secrets["BACKUP_ENCRYPTION_KEY"]
    state_dir = Path(asked.get("STATE_DIR") or STATE_DIR).resolve()
    folder = ROOT / "backups" if state_dir == ROOT / ".local" else state_dir / "backups"
    environment = {
        **_inherited(settings),
        **own,
        "HOST": settings.host,
        "LOG_FORMAT": "json",
        "PYTHONUNBUFFERED": "1",
        **GIVE_MEMORY_BACK,
        "METRICS_TOKEN": plan.secrets["METRICS_TOKEN"],
        "METRICS_PORT": str(settings.worker_port_of("gateway")),
        "DATABASE_URL": _dsn(plan, BACKUP_ROLE),
        "BACKUP_ENCRYPTION_KEY": asked.get("BACKUP_ENCRYPTION_KEY") or key,
        "BACKUP_DIR": asked.get("BACKUP_DIR") or str(folder),
        "BACKUP_SPOOL_DIR": asked.get("BACKUP_SPOOL_DIR") or str(state_dir / "wal"),
        "JOURNAL_FOLDER": asked.get("JOURNAL_FOLDER") or str(state_dir / "journal"),
    }
    return _python("backup", environment, "deploy.backups", *words)


def _mirror_program(plan: Plan) -> Program:
    """Return what watches the mirror, which reaches both servers as their superuser."""
    asked = plan.settings.environment
    environment = {
        **_inherited(plan.settings),
        "HOST": plan.settings.host,
        "LOG_FORMAT": "json",
        "PYTHONUNBUFFERED": "1",
        **GIVE_MEMORY_BACK,
        "METRICS_TOKEN": plan.secrets["METRICS_TOKEN"],
        "METRICS_PORT": str(plan.settings.mirror_port),
        "SUPERUSER_DATABASE_URL": plan.superuser_dsn,
        **{name: asked[name] for name in _OF_MIRROR if asked.get(name)},
    }
    return _python("mirror", environment, "deploy.mirror", "work")


def _inherited(settings: LocalSettings) -> dict[str, str]:
    """Return what a process may know of the shell and of `.env`."""
    return {
        name: value
        for name, value in settings.environment.items()
        if name not in _DECIDED_HERE
        and not name.endswith(_OLD_KEYS)
        and not name.startswith(_OF_BACKUPS)
    }


def in_layers(rows: list[Process]) -> list[list[Process]]:
    """Return the order of starting: first the services, then who calls them from the first moment.

    Workers follow the services' journals and the gateway reads auth's keys; started together with
    the services they would begin by complaining.
    """
    callers = [row for row in rows if row.program.name.endswith(_CALLERS)]
    return [[row for row in rows if row not in callers], callers]


def migrations(plan: Plan) -> list[Program]:
    """Return the four migrations; each touches its own schema only, so they may run at once."""
    owner = {"OWNER_DATABASE_URL": _dsn(plan, "stock_owner")}
    return [
        _python(
            f"{service}-migrate",
            {
                **_environment(plan, service),
                "DATABASE_URL": _dsn(plan, f"{service}_app"),
                **owner,
            },
            f"services.{service}",
            "migrate",
        )
        for service in SERVICES
    ]


def _python(name: str, environment: Mapping[str, str], module: str, *verbs: str) -> Program:
    command = (sys.executable, "-m", module, *verbs)
    return Program(name=name, command=command, environment=environment, folder=ROOT)


def _environment(plan: Plan, program: str) -> dict[str, str]:
    settings = plan.settings
    shared = {
        "HOST": settings.host,
        "REDIS_URL": _redis_url(plan, program),
        **dict.fromkeys(_PLAIN_HERE, ""),
        "LOG_FORMAT": "json",
        "PYTHONUNBUFFERED": "1",
        # Training parallelises over processes; threads of numeric libraries only get in the way.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        **GIVE_MEMORY_BACK,
        **{variable: str(port) for variable, port in settings.ports.items()},
        **{f"{service.upper()}_URL": settings.url_of(service) for service in SERVICES},
    }
    own = {name: plan.secrets[name] for name in (*SHARED_SECRETS, *SECRETS[program])}
    old_names = [name + _OLD_KEYS for name in (*SHARED_SECRETS, *SECRETS[program])]
    own |= {n: settings.environment[n] for n in old_names if settings.environment.get(n)}
    if program == "auth":
        own["MAIL_FOLDER"] = settings.environment.get("MAIL_FOLDER") or str(STATE_DIR / "mail")
        own["PUBLIC_URL"] = settings.environment.get("PUBLIC_URL") or (
            f"http://127.0.0.1:{settings.ports['GATEWAY_PORT']}"
        )
        if not settings.environment.get("FRONTEND_URL"):
            own["WEBAUTHN_ORIGINS"] = settings.environment.get("WEBAUTHN_ORIGINS") or (
                f"http://localhost:{settings.ports['GATEWAY_PORT']}"
            )
        own |= {n: settings.environment[n] for n in _OF_AUTH if settings.environment.get(n)}
    if program in SERVICES:
        own["ARCHIVE_FOLDER"] = settings.environment.get("ARCHIVE_FOLDER") or str(
            STATE_DIR / "archives"
        )
        own["JOURNAL_FOLDER"] = settings.environment.get("JOURNAL_FOLDER") or str(
            STATE_DIR / "journal"
        )
        own["JOURNAL_SIGNING_KEY"] = plan.secrets[journal_key_name(program)]
    return {**_inherited(settings), **shared, **own}


def _redis_url(plan: Plan, program: str) -> str:
    """Return Redis' address with the program's own user; a person's own server says who."""
    if plan.settings.environment.get("REDIS_URL"):
        return plan.redis_url
    return url_as(plan.redis_url, program, plan.secrets)


def _dsn(plan: Plan, role: str) -> str:
    """Return the DSN of `role`: the superuser's with another name, password and database."""
    parts = urlsplit(plan.superuser_dsn)
    address = parts.netloc.rpartition("@")[2]
    login = f"{role}:{plan.secrets[password_name(role)]}"
    return urlunsplit(parts._replace(netloc=f"{login}@{address}", path=f"/{DATABASE}"))
