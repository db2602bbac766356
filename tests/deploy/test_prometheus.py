"""Prometheus reads every process, and its rules speak of metrics that there are."""

import re

from prometheus_client.core import CollectorRegistry

from deploy.backups import metrics as backups
from deploy.local.processes import SERVICES
from deploy.local.settings import ROOT
from gateway import metrics
from services.auth.mail import metrics as mail
from services.auth.sessions import metrics as sessions
from services.auth.throttle import metrics as throttle
from shared import metrics as of_services

FOLDER = ROOT / "deploy" / "prometheus"
CONFIG = (FOLDER / "prometheus.yml").read_text()
ALERTS = (FOLDER / "alerts.yml").read_text()
COMPOSE = (ROOT / "docker-compose.yml").read_text()

SIGNING_IN = {
    f"{counter.describe()[0].name}_total"
    for counter in (mail.mails, sessions.failed_attempts, throttle.throttled)
}
OF_JOURNALS = {
    gauge.describe()[0].name
    for gauge in (
        of_services.audit_chain_broken,
        of_services.audit_chain_verified,
        of_services.partition_months_ahead,
        of_services.partition_default_used,
    )
}


OF_BACKUPS = {
    gauge.describe()[0].name
    for gauge in (
        backups.last_status, backups.last_success, backups.wal_lag, backups.drill_success
    )
}  # fmt: skip


def known(registry: CollectorRegistry) -> set[str]:
    return {sample.name for metric in registry.collect() for sample in metric.samples} | {
        f"{metric.name}_total" for metric in registry.collect() if metric.type == "counter"
    }


def test_every_process_is_read():
    targets = set(re.findall(r"- ([a-z-]+):\d+", CONFIG))

    workers = {f"{service}-worker" for service in SERVICES}
    assert targets == {"gateway", "backup", *SERVICES, *workers}
    assert CONFIG.count("credentials_file") == 1


def test_rules_speak_of_metrics_that_there_are():
    expressions = re.findall(r"expr: (.+)", ALERTS)
    named = set(re.findall(r"[a-z]+_[a-z_]+", " ".join(expressions)))

    assert len(expressions) == ALERTS.count("alert: ")
    assert named <= known(metrics.registry) | SIGNING_IN | OF_JOURNALS | OF_BACKUPS | {"by"}


def test_every_rule_has_its_place_in_the_runbook():
    page = (ROOT / "docs" / "operations.md").read_text()

    for place in re.findall(r"runbook: docs/operations.md#(.+)", ALERTS):
        assert f"## {place.replace('-', ' ').capitalize()}" in page
    for alert in re.findall(r"alert: (\w+)", ALERTS):
        assert f"`{alert}`" in page
