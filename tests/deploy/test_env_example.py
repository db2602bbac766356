"""`.env.example` is complete and true: compared with the settings classes themselves."""

import re
from importlib import import_module

import pytest
from pydantic_core import PydanticUndefined

from deploy.alertmanager.render import VARIABLES
from deploy.local.monitoring import PORTS
from deploy.local.secrets import MAKERS, SERVER_PASSWORDS
from deploy.local.settings import PORT_VARIABLES, ROOT

OWNERS = [
    "deploy.mirror",
    "gateway",
    "deploy.backups",
    *(f"services.{name}" for name in ("auth", "inventory", "forecasting", "reporting")),
]
LISTED = dict(
    re.findall(r"^# ([A-Z][A-Z0-9_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
)
MONITORING = dict(PORTS.values())
STACK_ONLY = {
    *MONITORING,
    *MAKERS,
    *SERVER_PASSWORDS,
    *PORT_VARIABLES,
    "SUPERUSER_DATABASE_URL",
    "STATE_DIR",
    "GRAFANA_PORT",  # Of compose.
    "PROMETHEUS_CONFIG",
}


def fields_of(owner):
    return {
        name.upper(): field
        for name, field in import_module(f"{owner}.settings").Settings.model_fields.items()
    }


@pytest.mark.parametrize("owner", OWNERS)
def test_every_setting_is_listed(owner):
    assert set(fields_of(owner)) - set(LISTED) == set()


def test_ports_of_monitoring_are_listed_with_their_defaults():
    assert {name: LISTED[name] for name in MONITORING} == MONITORING


def test_every_receiver_of_alerts_is_listed():
    assert set(VARIABLES) <= set(LISTED)


def test_nothing_is_listed_that_nobody_reads():
    read = set().union(*(fields_of(owner) for owner in OWNERS))

    assert set(LISTED) - read - STACK_ONLY - set(VARIABLES) == set()


@pytest.mark.parametrize("owner", OWNERS)
def test_listed_default_is_the_one_in_force(owner):
    for name, field in fields_of(owner).items():
        if name not in STACK_ONLY and isinstance(field.default, str | int | float):
            default = field.default
            text = str(default).lower() if isinstance(default, bool) else f"{default}"
            assert LISTED[name] == text.removesuffix(".0"), name


@pytest.mark.parametrize("owner", OWNERS)
def test_secret_has_no_default(owner):
    for name, field in fields_of(owner).items():
        if name in MAKERS:
            # None: what needs it is switched off without it.
            assert field.default in {PydanticUndefined, None}, name
            assert LISTED[name] == "", name
