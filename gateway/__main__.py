"""`python -m gateway`: the gateway on its port, until SIGTERM; what is in flight ends first."""

from functools import partial

from gateway.processes import Processes
from gateway.server import run, run_one_of_many
from gateway.settings import Settings
from shared.settings import load_settings


def main() -> None:
    settings = load_settings(Settings)
    if settings.gateway_processes > 1:
        Processes(partial(run_one_of_many, settings), settings.gateway_processes).keep()
    else:
        run(settings)


if __name__ == "__main__":
    main()
