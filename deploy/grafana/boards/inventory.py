"""How the API does, and what lies in stock."""

from deploy.grafana.panels import Board, Panel

_SECONDS = 'http_request_duration_seconds_bucket{job="gateway"}'


def _quantile(part: float) -> str:
    return f"histogram_quantile({part}, sum by (le) (rate({_SECONDS}[5m])))"


BOARD = Board(
    "stockwright-inventory",
    "Inventory overview",
    (
        Panel(
            "Requests",
            "What the gateway answers, a second.",
            "reqps",
            {"all": 'sum(rate(http_requests_total{job="gateway"}[5m]))'},
            "stat",
            4,
        ),
        Panel(
            "95 % within",
            "Time in which 95 % of requests are answered; 100 ms is the target.",
            "s",
            {"p95": _quantile(0.95)},
            "stat",
            4,
            warns_from=0.1,
            bad_from=0.5,
        ),
        Panel(
            "Failed",
            "Part of the answers that are 5xx; 0.1 % of a month is the budget.",
            "percentunit",
            {"5xx": "gateway:http_errors:ratio_rate5m"},
            "stat",
            4,
            warns_from=0.001,
            bad_from=0.05,
        ),
        Panel(
            "Cache hits",
            "Part of the look-ups that found something; 85 % is the target.",
            "percentunit",
            {"hits": "cache:lookups:hit_ratio_rate5m"},
            "stat",
            4,
            warns_from=0.85,
            bad_from=0.6,
            less_is_bad=True,
        ),
        Panel(
            "Model error",
            "Median MAPE of the active models; 15 % is the target.",
            "percentunit",
            {"median": "quantile(0.5, ai_model_accuracy_mape)"},
            "stat",
            4,
            warns_from=0.15,
            bad_from=0.2,
        ),
        Panel(
            "Items below par",
            "Items at or below their reorder point.",
            "short",
            {"to order": "max(inventory_reorder_recommendations_total)"},
            "stat",
            4,
            warns_from=50,
        ),
        Panel(
            "Latency",
            "Time until half, 95 % and 99 % of requests are answered.",
            "s",
            {"p50": _quantile(0.5), "p95": _quantile(0.95), "p99": _quantile(0.99)},
            warns_from=0.1,
            bad_from=0.5,
        ),
        Panel(
            "Throughput by service",
            "Requests that the gateway passed on, by service.",
            "reqps",
            {"{{service}}": "sum by (service) (rate(upstream_requests_total[5m]))"},
        ),
        Panel(
            "Answers by status",
            "What the gateway answered, by status.",
            "reqps",
            {
                "{{status_code}}": "sum by (status_code) "
                '(rate(http_requests_total{job="gateway"}[5m]))'
            },
        ),
        Panel(
            "Movements by kind",
            "Movements that were applied, by kind.",
            "ops",
            {"{{kind}}": 'sum by (kind) (rate(inventory_movements_total{status="applied"}[5m]))'},
        ),
        Panel(
            "Movements refused",
            "Movements that were refused, by kind.",
            "ops",
            {"{{kind}}": 'sum by (kind) (rate(inventory_movements_total{status="refused"}[5m]))'},
        ),
        Panel(
            "Inventory value",
            "What the stock on hand cost, by currency.",
            "short",
            {"{{currency}}": "max by (currency) (inventory_value_total)"},
        ),
        Panel(
            "Items",
            "Items that are not retired, of all tenants.",
            "short",
            {"items": "max(inventory_items_total)"},
            width=8,
        ),
        Panel(
            "Stock-outs",
            "Times that an item ran out at a location, in the last hour.",
            "short",
            {"ran out": "sum(increase(inventory_stockouts_total[1h]))"},
            width=8,
        ),
        Panel(
            "Components",
            "1 while a component of a process is well.",
            "short",
            {"{{job}} {{component}}": "min by (job, component) (system_health_status)"},
            width=8,
            bad_from=1,
            less_is_bad=True,
            top=1,
        ),
    ),
)
