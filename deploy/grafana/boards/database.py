"""What the database does for each service, and how far its followers are."""

from deploy.grafana.panels import Board, Panel


def _quantile(by: str) -> str:
    return ("topk(10, histogram_quantile(0.95, sum by (" + by + ", le) "
            "(rate(db_query_duration_seconds_bucket[5m]))))")  # fmt: skip


BOARD = Board(
    "stockwright-database",
    "Database operations",
    (
        Panel(
            "Latency by operation",
            "Time in which 95 % of statements end, by operation.",
            "s",
            {"{{operation}}": _quantile("operation")},
            warns_from=0.1,
            bad_from=0.5,
        ),
        Panel(
            "Latency by table",
            "Time in which 95 % of statements end: the ten slowest tables.",
            "s",
            {"{{table}}": _quantile("table")},
            warns_from=0.1,
            bad_from=0.5,
        ),
        Panel(
            "Statements",
            "Statements a second, by operation.",
            "ops",
            {"{{operation}}": "sum by (operation) (rate(db_queries_total[5m]))"},
        ),
        Panel(
            "Errors",
            "Part of the statements that the database refused or lost.",
            "percentunit",
            {
                "{{job}}": '(sum by (job) (rate(db_queries_total{status="error"}[5m])) '
                "or 0 * sum by (job) (rate(db_queries_total[5m]))) "
                "/ sum by (job) (rate(db_queries_total[5m]))"
            },
            warns_from=0.01,
            bad_from=0.05,
        ),
        Panel(
            "Pool in use",
            "Part of the connections of a process that is lent out.",
            "percentunit",
            {"{{job}}": "max by (job) (db_connection_pool_active / db_connection_pool_size)"},
            warns_from=0.7,
            bad_from=0.9,
        ),
        Panel(
            "Pool size",
            "Connections that a process may open.",
            "short",
            {"{{job}}": "max by (job) (db_connection_pool_size)"},
        ),
        Panel(
            "Slowest statements",
            "Database time a second, by operation and table: the ten largest.",
            "s",
            {
                "{{operation}} {{table}}": "topk(10, sum by (operation, table) "
                "(rate(db_query_duration_seconds_sum[5m])))"
            },
        ),
        Panel(
            "Round trip",
            "Time of a trivial statement, by the health probe.",
            "s",
            {"{{job}}": "max by (job) (db_latency_seconds)"},
            warns_from=0.1,
            bad_from=0.5,
        ),
        Panel(
            "Journal lag",
            "Age of the oldest entry that a follower has not applied.",
            "s",
            {"{{job}} of {{producer}}": "max by (job, producer) (journal_lag_seconds)"},
            bad_from=30,
        ),
        Panel(
            "Journal entries behind",
            "Entries that a follower has not applied.",
            "short",
            {"{{job}} of {{producer}}": "max by (job, producer) (journal_lag_entries)"},
        ),
        Panel(
            "Mirror errors",
            "Changes that did not reach the mirror, in the last hour: the ten tables with most.",
            "short",
            {"{{table}}": "topk(10, sum by (table) (increase(db_dual_write_errors_total[1h])))"},
            bad_from=1,
        ),
        Panel(
            "Mirror lag",
            "How long ago the mirror had all that was written.",
            "s",
            {"lag": "max(db_mirror_lag_seconds)"},
            bad_from=60,
        ),
        Panel(
            "Mirror behind",
            "Log that was written and that the mirror has not confirmed.",
            "bytes",
            {"behind": "max(db_mirror_lag_bytes)"},
        ),
        Panel(
            "Connections",
            "Connections to the server, and how many it allows.",
            "short",
            {"in use": "max(db_server_connections)", "allowed": "max(db_server_connections_max)"},
        ),
    ),
)
