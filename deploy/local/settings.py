"""What the local stack reads from the environment and from `.env`: ports, host, own servers."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from deploy.local.errors import StackError

ROOT = Path(__file__).resolve().parents[2]
# Another folder for a stack beside the checkout's own, as tests and benchmarks need.
ADMIN_EMAIL = "admin@example.com"
STATE_DIR = Path(os.environ.get("STATE_DIR") or ROOT / ".local").resolve()

PORT_VARIABLES: Mapping[str, int] = {
    "GATEWAY_PORT": 8083,
    "AUTH_PORT": 8101,
    "INVENTORY_PORT": 8102,
    "FORECASTING_PORT": 8103,
    "REPORTING_PORT": 8104,
}
# Health and metrics of a worker: its service's port plus this; of backups: the gateway's plus this.
WORKER_PORT_OFFSET = 10
MIRROR_PORT_OFFSET = 15  # What watches a mirror: the gateway's plus this.
PORT_MAX = 65535
EVERY_ADDRESS = ("0.0.0.0", "::", "")


@dataclass(frozen=True)
class LocalSettings:
    """The person's choices. `environment` is everything set, `.env` under the real environment."""

    environment: Mapping[str, str]
    host: str
    ports: Mapping[str, int]  # by variable name

    def port_of(self, name: str) -> int:
        """Return the port of the gateway or of a service."""
        return self.ports[f"{name.upper()}_PORT"]

    def worker_port_of(self, service: str) -> int:
        return self.port_of(service) + WORKER_PORT_OFFSET

    @property
    def mirror_port(self) -> int:
        return self.port_of("gateway") + MIRROR_PORT_OFFSET

    @property
    def is_mirrored(self) -> bool:
        return bool(self.environment.get("MIRROR_DATABASE_URL"))

    @property
    def reach(self) -> str:
        """The address at which this machine reaches its own processes."""
        return "127.0.0.1" if self.host in EVERY_ADDRESS else self.host

    def url_of(self, name: str) -> str:
        host = f"[{self.reach}]" if ":" in self.reach else self.reach
        return f"http://{host}:{self.port_of(name)}"


def read_settings(
    environment: Mapping[str, str] | None = None, env_file: Path = ROOT / ".env"
) -> LocalSettings:
    """Return the settings; raises StackError naming the variable that is wrong."""
    given = dict(os.environ if environment is None else environment)
    from_file = {name: value for name, value in dotenv_values(env_file).items() if value}
    merged = {**from_file, **given}
    ports = {
        name: _port(name, merged.get(name), default) for name, default in PORT_VARIABLES.items()
    }
    settings = LocalSettings(merged, merged.get("HOST") or "127.0.0.1", ports)
    _refuse_overlap(settings)
    return settings


def port_uses(settings: LocalSettings) -> list[tuple[int, str, str]]:
    """Return (port, what listens there, how to change it) for every port of the stack."""
    uses = []
    for variable, port in settings.ports.items():
        name = variable.removesuffix("_PORT").lower()
        uses.append((port, name, f"set {variable}"))
        advice = f"it is {variable} + {WORKER_PORT_OFFSET}: set {variable}"
        beside = "backup" if name == "gateway" else f"{name}-worker"
        uses.append((port + WORKER_PORT_OFFSET, beside, advice))
    if settings.is_mirrored:
        advice = f"it is GATEWAY_PORT + {MIRROR_PORT_OFFSET}: set GATEWAY_PORT"
        uses.append((settings.mirror_port, "mirror", advice))
    return uses


def _port(variable: str, text: str | None, default: int) -> int:
    if not text:
        return default
    if not text.isdecimal() or not 1 <= int(text) <= PORT_MAX - MIRROR_PORT_OFFSET:
        raise StackError(
            f"{variable} is {text!r}; it must be a port from 1 to {PORT_MAX - MIRROR_PORT_OFFSET}."
        )
    return int(text)


def _refuse_overlap(settings: LocalSettings) -> None:
    seen: dict[int, str] = {}
    for port, name, advice in port_uses(settings):
        if port in seen:
            raise StackError(f"Port {port} is meant for both {seen[port]} and {name}; {advice}.")
        seen[port] = name
