"""Alertmanager's configuration: who is told of which alert. It expands no environment itself.

Without any receiver in the environment everything goes to one that tells nobody. A secret may lie
in a file instead: `NAME_FILE` is its path, as everywhere.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from shared.secret_files import SUFFIXES, SecretFileRefused, read_secrets

VARIABLES = (
    "ALERT_EMAIL_TO", "ALERT_SECURITY_EMAIL_TO", "ALERT_EMAIL_FROM", "ALERT_SMTP_URL",
    "SLACK_WEBHOOK_URL", "PAGERDUTY_KEY", "PAGERDUTY_SECURITY_KEY", "ALERT_WEBHOOK_URL",
    "ALERT_WATCHDOG_URL",
)  # fmt: skip
# Those that Alertmanager reads from no file, so we do: 0.25 takes no address of a hook from one.
_READ_HERE = ("ALERT_SMTP_URL", "SMTP_URL", "ALERT_WEBHOOK_URL", "ALERT_WATCHDOG_URL")
NOBODY = "nobody"
CRITICAL, SECURITY, WARNING, WATCHDOG = "critical", "security", "warning", "watchdog"
# What goes wrong with a process or the database explains what follows from it.
_FOLLOWS_FROM_DATABASE = (
    "ApiLatency.*|ErrorRateHigh|.*Budget.*|CircuitOpen|Journal(Lag|EntriesSetAside)|WebhooksLate"
    "|SignOutsNotKnown|DatabaseLatencyHigh|DatabasePoolFull"
)

Config = dict[str, Any]


class BadReceiver(Exception):
    """A variable has no form that Alertmanager could use; says which."""


def render(environment: Mapping[str, str]) -> Config:
    """Return the configuration for these receivers. Raises BadReceiver."""
    found = _Receivers(environment)
    receivers = {
        CRITICAL: found.mail("ALERT_EMAIL_TO") | found.slack() | found.pages("PAGERDUTY_KEY"),
        SECURITY: found.mail("ALERT_SECURITY_EMAIL_TO", "ALERT_EMAIL_TO")
        | found.pages("PAGERDUTY_SECURITY_KEY", "PAGERDUTY_KEY"),
        WARNING: found.mail("ALERT_EMAIL_TO"),
    }
    hook = found.hook("ALERT_WEBHOOK_URL")  # Told of everything.
    receivers = {name: told | hook for name, told in receivers.items()}
    receivers[WATCHDOG] = found.hook("ALERT_WATCHDOG_URL")
    return {
        "global": found.mail_server() | {"resolve_timeout": "5m"},
        "route": _route({name for name, told in receivers.items() if told}),
        "inhibit_rules": _inhibitions(),
        "receivers": [
            {"name": NOBODY},
            *({"name": name, **told} for name, told in receivers.items() if told),
        ],
    }


def write(file: Path, config: Config) -> None:
    """Write the configuration where its owner alone reads it; JSON is YAML."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        json.dump(config, opened, indent=2)
    new.replace(file)


def _route(told: set[str]) -> Config:
    def to(name: str, *matchers: str, **more: str) -> Config:
        return {"receiver": name if name in told else NOBODY, "matchers": list(matchers), **more}

    return {
        "receiver": NOBODY,
        "group_by": ["alertname", "job"],
        "group_wait": "10s",
        "group_interval": "2m",
        "repeat_interval": "4h",
        "routes": [
            to(WATCHDOG, 'alertname="Watchdog"', group_wait="0s", group_interval="1m",
               repeat_interval="1m"),
            to(SECURITY, 'team="security"'),
            to(CRITICAL, 'severity="critical"'),
            to(WARNING, 'severity="warning"', repeat_interval="24h"),
        ],
    }  # fmt: skip


def _inhibitions() -> list[Config]:
    def hides(source: str, target: str, *equal: str) -> Config:
        return {
            "source_matchers": [f'alertname=~"{source}"'],
            "target_matchers": [f'alertname=~"{target}"', 'alertname!="TargetDown"'],
            "equal": list(equal),
        }

    return [
        hides("TargetDown", ".+", "job"),
        hides("DatabaseDown", _FOLLOWS_FROM_DATABASE),
        hides("ApiLatencyHigh", "ApiLatencyRaised"),
        hides("ErrorRateHigh|ErrorBudgetBurnsFast", "ErrorBudgetBurns|ErrorBudgetBurnsSlowly"),
        hides("LatencyBudgetBurnsFast", "LatencyBudgetBurns|LatencyBudgetBurnsSlowly"),
        hides("SlotLost", "SlotInactive", "slot"),
        hides("BackupFailed", "NoBackup"),
    ]


class _Receivers:
    """Reads the environment, one way of telling somebody after the other."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        try:
            self._environment = {**environment, **read_secrets(environment, _READ_HERE)}
        except SecretFileRefused as error:
            raise BadReceiver(str(error)) from None

    def mail(self, *names: str) -> Config:
        """Return mail to the first of the variables that is set; several, separated by commas."""
        to = self._first(*names)
        if not to:
            return {}
        if not self._first("ALERT_SMTP_URL", "SMTP_URL"):
            raise BadReceiver(f"{names[0]} needs a mail server: set ALERT_SMTP_URL or SMTP_URL.")
        return {
            "email_configs": [{"to": each.strip(), "send_resolved": True} for each in to.split(",")]
        }

    def slack(self) -> Config:
        url = self._secret("SLACK_WEBHOOK_URL", "api_url")
        return {"slack_configs": [{**url, "send_resolved": True}]} if url else {}

    def pages(self, *names: str) -> Config:
        for name in names:
            key = self._secret(name, "routing_key")
            if key:
                return {"pagerduty_configs": [{**key, "send_resolved": True}]}
        return {}

    def hook(self, name: str) -> Config:
        url = self._first(name)
        if url and urlsplit(url).scheme not in {"http", "https"}:
            raise BadReceiver(f"{name} is no http or https address.")
        return {"webhook_configs": [{"url": url, "send_resolved": True}]} if url else {}

    def mail_server(self) -> Config:
        """Return what Alertmanager needs of the address of a mail server, smtp:// or smtps://."""
        url = self._first("ALERT_SMTP_URL", "SMTP_URL")
        if not url or not self._first("ALERT_EMAIL_TO", "ALERT_SECURITY_EMAIL_TO"):
            return {}
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise BadReceiver("ALERT_SMTP_URL is not of the form smtp://user:password@host:port.")
        port = parts.port or (465 if parts.scheme == "smtps" else 587)
        server = {
            "smtp_smarthost": f"{parts.hostname}:{port}",
            "smtp_from": self._first("ALERT_EMAIL_FROM", "MAIL_FROM") or "alerts@localhost",
            # A password never goes over a line that others read.
            "smtp_require_tls": bool(parts.username) and parts.scheme == "smtp",
        }
        if parts.username:
            server["smtp_auth_username"] = unquote(parts.username)
            server["smtp_auth_password"] = unquote(parts.password or "")
        return server

    def _first(self, *names: str) -> str:
        return next((self._environment[n] for n in names if self._environment.get(n)), "")

    def _secret(self, name: str, option: str) -> dict[str, str]:
        if path := self._first(*(f"{name}{suffix}" for suffix in SUFFIXES)):
            return {f"{option}_file": path}
        value = self._first(name)
        return {option: value} if value else {}
