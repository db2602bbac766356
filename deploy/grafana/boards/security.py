"""Who comes in, who is refused, and how the gateway reaches the services."""

from deploy.grafana.panels import Board, Panel

BOARD = Board(
    "stockwright-security",
    "Security and gateway",
    (
        Panel(
            "Sign-ins",
            "Attempts to sign in, by outcome.",
            "ops",
            {"{{status}}": "sum by (status) (rate(auth_attempts_total[5m]))"},
        ),
        Panel(
            "Failures by reason",
            "Sign-ins that failed in five minutes; from 20 on an alert comes.",
            "short",
            {"{{reason}}": "sum by (reason) (increase(auth_failed_attempts_total[5m]))"},
            bad_from=20,
        ),
        Panel(
            "Lock-outs",
            "Attempts that were refused unseen, in five minutes, since too many failed.",
            "short",
            {"{{kind}}": "sum by (kind) (increase(auth_throttled_total[5m]))"},
            warns_from=1,
        ),
        Panel(
            "Refused by rate",
            "Requests refused, a second, by rate.",
            "reqps",
            {"{{rule}}": "sum by (rule) (rate(rate_limited_total[5m]))"},
            bad_from=5,
        ),
        Panel(
            "Upstream outcomes",
            "How requests to services ended.",
            "reqps",
            {
                "{{service}} {{outcome}}": "sum by (service, outcome) "
                "(rate(upstream_requests_total[5m]))"
            },
        ),
        Panel(
            "Circuits",
            "0 closed, 1 half-open, 2 open.",
            "short",
            {"{{service}}": "max by (service) (upstream_circuit_state)"},
            warns_from=1,
            bad_from=2,
            top=2,
        ),
        Panel(
            "Sessions and accounts",
            "Sessions that go on, accounts that are not locked.",
            "short",
            {"sessions": "max(sessions_active_total)", "accounts": "max(users_active_total)"},
        ),
        Panel(
            "Age of the proof",
            "Time since a journal was verified as whole; a day at most.",
            "s",
            {
                "{{service}}": "time() "
                "- max by (service) (audit_chain_verified_timestamp_seconds > 0)"
            },
            warns_from=7200,
            bad_from=86400,
        ),
        Panel(
            "Broken journals",
            "1 where a journal is not what was sealed.",
            "short",
            {"{{service}}": "max by (service) (audit_chain_broken)"},
            bad_from=1,
            top=1,
        ),
        Panel(
            "Age of revocations",
            "From 5 s on nothing can be changed, from 300 s on nothing read.",
            "s",
            {"{{instance}}": "max by (instance) (revocations_age_seconds)"},
            warns_from=5,
            bad_from=300,
        ),
    ),
)
