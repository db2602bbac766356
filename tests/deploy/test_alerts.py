"""Each alert fires when it should, not sooner, and not when all is well."""

import json
import re
import shutil
import subprocess
from typing import Any, NamedTuple

import pytest

from deploy.local.settings import ROOT

FOLDER = ROOT / "deploy" / "prometheus"
RUNBOOKS = ROOT / "docs" / "runbooks"
ALERTS = (FOLDER / "alerts.yml").read_text()
PARTS = ("Meaning", "Impact", "First query", "Diagnosis", "Mitigation", "Escalation", "Tested")
HOUR, DAY = 60, 24 * 60
Series = dict[str, str]


class Case(NamedTuple):
    """What is measured, by the minute: so that the alert fires at `at`, and so that it does not."""

    fires: Series
    quiet: Series
    at: int = 30


def steady(value: float) -> str:
    """Return a gauge that stands still, in promtool's notation."""
    return f"{value:g}+0"


def rising(each_minute: float) -> str:
    """Return a counter, in promtool's notation."""
    return f"0+{each_minute:g}"


def requests(failed: float = 0, slow: float = 0, each_minute: float = 600) -> Series:
    """Return the gateway's requests, of which these parts fail, or take 0.3 to 1 second."""
    ok, count, bucket = (
        'http_requests_total{job="gateway",status_code="200"}',
        'http_request_duration_seconds_count{job="gateway"}',
        'http_request_duration_seconds_bucket{job="gateway",le="%s"}',
    )
    quick = each_minute * (1 - slow)
    return {
        ok: rising(each_minute * (1 - failed)),
        ok.replace("200", "500"): rising(each_minute * failed),
        count: rising(each_minute),
        **{bucket % le: rising(quick) for le in ("0.1", "0.25", "0.5")},
        **{bucket % le: rising(each_minute) for le in ("1.0", "+Inf")},
    }


def between(low: str, high: str) -> Series:
    """Return requests that all take between two bounds of buckets."""
    series = requests()
    for le in ("0.1", "0.25", "0.5", "1.0"):
        name = f'http_request_duration_seconds_bucket{{job="gateway",le="{le}"}}'
        series[name] = rising(600 if float(le) >= float(high) else 0)
    return {name: value for name, value in series.items() if low}


def gauge(name: str, fires: float, quiet: float, at: int = 30) -> Case:
    return Case({name: steady(fires)}, {name: steady(quiet)}, at)


def counter(name: str, fires: float, quiet: float, at: int = 30) -> Case:
    return Case({name: rising(fires)}, {name: rising(quiet)}, at)


UP = {f'up{{job="{job}"}}': steady(1)
      for job in ("gateway", "auth", "inventory", "forecasting", "reporting")}  # fmt: skip
ITEMS = {"inventory_items_total": steady(4)}
AGE = "0+60"  # Of something that happened at the beginning: the clock itself.

CASES: dict[str, Case] = {
    "ApiLatencyHigh": Case(between("0.5", "1.0"), requests(slow=0.02)),
    "ApiLatencyRaised": Case(between("0.1", "0.25"), requests(slow=0.02)),
    "ErrorRateHigh": Case(requests(failed=0.06), requests(failed=0.04)),
    "ErrorBudgetBurnsFast": Case(requests(failed=0.016), requests(failed=0.013), 2 * HOUR),
    "ErrorBudgetBurns": Case(requests(failed=0.007), requests(failed=0.005), 8 * HOUR),
    "ErrorBudgetBurnsSlowly": Case(requests(failed=0.002), requests(failed=0.0009), 4 * DAY),
    "LatencyBudgetBurnsFast": Case(requests(slow=0.16), requests(slow=0.13), 2 * HOUR),
    "LatencyBudgetBurns": Case(requests(slow=0.07), requests(slow=0.05), 8 * HOUR),
    "LatencyBudgetBurnsSlowly": Case(requests(slow=0.02), requests(slow=0.009), 4 * DAY),
    "CircuitOpen": gauge('upstream_circuit_state{service="auth"}', 2, 1),
    "SignOutsNotKnown": gauge("revocations_age_seconds", 6, 2),
    "RatesNotShared": gauge("rate_limits_shared", 0, 1),
    "ManyRefusedByRate": counter('rate_limited_total{rule="sign-in"}', 360, 240),
    "TargetDown": gauge('up{job="auth"}', 0, 1),
    "TargetMissing": Case({'up{job="gateway"}': steady(1)}, UP),
    "ExporterBlind": gauge('pg_up{job="postgres-exporter"}', 0, 1),
    "EventLoopBlocked": gauge('event_loop_lag_seconds{job="auth"}', 0.6, 0.01),
    "DatabaseDown": gauge('system_health_status{job="auth",component="database"}', 0, 1),
    "DatabaseLatencyHigh": gauge('db_latency_seconds{job="auth"}', 0.6, 0.01),
    "DatabasePoolFull": Case(
        {'db_connection_pool_active{job="auth"}': steady(50),
         'db_connection_pool_size{job="auth"}': steady(52)},
        {'db_connection_pool_active{job="auth"}': steady(40),
         'db_connection_pool_size{job="auth"}': steady(52)},
    ),
    "DatabaseConnectionsFull": Case(
        {"db_server_connections": steady(300), "db_server_connections_max": steady(320)},
        {"db_server_connections": steady(200), "db_server_connections_max": steady(320)},
    ),
    "TransactionIdsOld": gauge("db_server_transaction_id_age", 1.1e9, 2e8),
    "ArchivingFails": gauge("db_server_archive_failing", 1, 0),
    "SlotInactive": gauge('db_server_slot_active{slot="mirror"}', 0, 1, 2 * HOUR),
    "SlotLost": gauge('db_server_slot_lost{slot="mirror"}', 1, 0),
    "DiskSpaceLow": gauge('disk_free_ratio{folder="journal"}', 0.1, 0.2),
    "MirrorErrors": counter('db_dual_write_errors_total{table="levels"}', 1, 0),
    "MirrorLagging": gauge("db_mirror_lag_seconds", 61, 59),
    "MirrorNotApplying": Case(
        {"db_mirror_applying": steady(1), "db_mirror_silent_seconds": steady(61)},
        {"db_mirror_applying": steady(1), "db_mirror_silent_seconds": steady(59)},
    ),
    "MirrorSlotInactive": gauge("db_mirror_slot_inactive_seconds", 3601, 3599),
    "MirrorSlotEndangered": gauge('db_mirror_slot_wal_status{status="unreserved"}', 1, 0),
    "MirrorSlotLost": gauge('db_mirror_slot_wal_status{status="lost"}', 1, 0),
    "MirrorServerAway": gauge('db_mirror_reachable{server="mirror"}', 0, 1),
    "MirrorDiffers": gauge("db_mirror_differing_rows", 1, 0),
    "MirrorNotCompared": Case(
        {"db_mirror_check_last_success_timestamp_seconds": steady(0)},
        {"db_mirror_check_last_success_timestamp_seconds": AGE}, 26 * HOUR,
    ),
    "CacheDown": gauge('system_health_status{job="auth",component="cache"}', 0, 1),
    "CacheHitRateLow": Case(
        {"cache_hits_total": rising(50), "cache_misses_total": rising(50)},
        {"cache_hits_total": rising(85), "cache_misses_total": rising(15)},
    ),
    "CacheMemoryHigh": gauge("cache_memory_usage_bytes", 1.9e9, 1.7e9),
    "NoActiveModels": Case(ITEMS, ITEMS | {'ai_models_active_total{model_type="ets"}': steady(3)}),
    "ModelAccuracyPoor": Case(
        {'ai_model_accuracy_mape{item="A"}': steady(0.3), 'ai_model_accuracy_mape{item="B"}':
         steady(0.25), 'ai_model_accuracy_mape{item="C"}': steady(0.05)},
        {'ai_model_accuracy_mape{item="A"}': steady(0.9), 'ai_model_accuracy_mape{item="B"}':
         steady(0.15), 'ai_model_accuracy_mape{item="C"}': steady(0.05)},
    ),
    "ManyReorderRecommendations": gauge("inventory_reorder_recommendations_total", 51, 50),
    "JournalLag": gauge('journal_lag_seconds{job="reporting-worker",producer="auth"}', 31, 29),
    "JournalEntriesSetAside": gauge('journal_entries_set_aside{producer="auth"}', 1, 0),
    "JournalBroken": gauge('audit_chain_broken{service="auth"}', 1, 0),
    "JournalNotVerified": Case(
        {'audit_chain_verified_timestamp_seconds{service="auth"}': steady(1)},
        {'audit_chain_verified_timestamp_seconds{service="auth"}': AGE}, 25 * HOUR,
    ),
    "MonthsMissing": gauge('partition_months_ahead{table="journal"}', 0, 3, 3 * HOUR),
    "RetentionFails": Case(
        {'retention_last_success_timestamp_seconds{service="auth"}': steady(1)},
        {'retention_last_success_timestamp_seconds{service="auth"}': AGE},
        3 * DAY + 3 * HOUR,
    ),
    "WebhooksLate": gauge("inventory_webhook_lag_seconds", 61, 5),
    "BruteForce": counter('auth_failed_attempts_total{reason="wrong_password"}', 5, 3),
    "NetworkThrottled": counter('auth_throttled_total{kind="network"}', 1, 0),
    "MailsNotSent": counter('auth_mails_total{outcome="failed"}', 1, 0, HOUR),
    "BackupFailed": gauge("backup_last_status", 0, 1),
    "NoBackup": Case(
        {"backup_last_success_timestamp_seconds": steady(1)},
        {"backup_last_success_timestamp_seconds": AGE}, 27 * HOUR,
    ),
    "BackupNotMeasured": Case(
        {"backup_last_success_timestamp_seconds": "_"},
        {"backup_last_success_timestamp_seconds": AGE},
        27 * HOUR,
    ),
    "LogNotKept": gauge("backup_wal_lag_seconds", 301, 20),
    "NoDrill": Case(
        {"restore_drill_last_success_timestamp_seconds": steady(1)},
        {"restore_drill_last_success_timestamp_seconds": AGE},
        8 * DAY + 2 * HOUR,
    ),
    "CertificateExpires": gauge(
        'tls_certificate_expiry_timestamp_seconds{purpose="gateway"}', 20 * 86400, 30 * 86400,
        2 * HOUR,
    ),
    "KeySealsMany": counter('values_sealed_total{key_id="aa"}', 80 * 60, 60 * 60, 26 * HOUR),
    "Watchdog": Case({}, {}),
}  # fmt: skip


def alerts() -> list[str]:
    return re.findall(r"- alert: (\w+)", ALERTS)


def minutes_until(alert: str) -> int:
    """Return for how long its condition must hold, in whole minutes."""
    rule = ALERTS.split(f"- alert: {alert}\n")[1].split("annotations:")[0]
    found = re.search(r"for: (\d+)([smh])", rule)
    if found is None:
        return 0
    return int(found[1]) * {"s": 0, "m": 1, "h": 60}[found[2]]


def promtool_tests(cases: dict[str, Case], interval: str) -> dict[str, Any]:
    """Return what promtool is to try: each alert firing, still waiting, and quiet.

    A test of promtool's has a database of its own, so one tries many alerts: of other metrics each.
    """
    tries = [
        _Try(alert, series, fires_at)
        for alert, case in cases.items()
        for series, fires_at in (
            (case.fires, {minutes_until(alert) - 1: False, case.at: True}),
            (case.quiet, {case.at: alert == "Watchdog"}),
        )
    ]
    groups = re.findall(r"- name: (\S+)", (FOLDER / "rules.yml").read_text() + ALERTS)
    return {
        "rule_files": [str(FOLDER / "rules.yml"), str(FOLDER / "alerts.yml")],
        "evaluation_interval": interval,
        "group_eval_order": groups,  # Else by chance.
        "tests": [_as_test(together) for together in _packed(tries)],
    }


class _Try(NamedTuple):
    alert: str
    series: Series
    fires_at: dict[int, bool]

    def metrics(self) -> set[str]:
        return {name.partition("{")[0] for name in self.series} or {self.alert}


def _packed(tries: list[_Try]) -> list[list[_Try]]:
    packs: list[list[_Try]] = []
    for each in tries:
        for pack in packs:
            if not any(each.metrics() & other.metrics() for other in pack):
                pack.append(each)
                break
        else:
            packs.append([each])
    return packs


def _as_test(tries: list[_Try]) -> dict[str, Any]:
    last = max(minute for each in tries for minute in each.fires_at)
    return {
        "interval": "1m",
        "input_series": [
            {"series": name, "values": f"{values}x{last + 5}"}
            for each in tries
            for name, values in each.series.items()
        ],
        "promql_expr_test": [
            {
                "expr": f'max(ALERTS{{alertname="{each.alert}",alertstate="firing"}})',
                "eval_time": f"{minute}m",
                "exp_samples": [{"labels": "{}", "value": 1}] if expected else [],
            }
            for each in tries
            for minute, expected in each.fires_at.items()
            if minute > 0
        ],
    }


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize(("is_long", "interval"), [(False, "1m"), (True, "30m")])
def test_every_alert_fires_when_it_should_and_only_then(tmp_path, is_long, interval):
    """What takes days is looked at twice an hour: promtool tries all rules each time."""
    cases = {name: case for name, case in CASES.items() if (case.at > 3 * HOUR) is is_long}
    file = tmp_path / "tests.yml"
    file.write_text(json.dumps(promtool_tests(cases, interval)))  # JSON is YAML.

    done = subprocess.run(  # noqa: S603 - our own file.
        ["promtool", "test", "rules", str(file)],  # noqa: S607 - wherever it is installed.
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_case():
    assert list(CASES) == alerts()
    assert len(set(alerts())) == len(alerts())


def test_every_alert_has_a_runbook_and_every_runbook_an_alert():
    linked = re.findall(r"runbook: docs/runbooks/(\w+)\.md", ALERTS)

    assert linked == alerts()
    assert {page.stem for page in RUNBOOKS.glob("*.md")} == {*linked, "README"}


@pytest.mark.parametrize("alert", alerts())
def test_a_runbook_says_all_that_is_asked_at_night(alert):
    page = (RUNBOOKS / f"{alert}.md").read_text()

    assert page.startswith(f"# {alert}\n")
    assert re.findall(r"^\*\*([^*]+)\.\*\*", page, re.MULTILINE) == list(PARTS)
    assert f"[{alert}]({alert}.md)" in (RUNBOOKS / "README.md").read_text()
