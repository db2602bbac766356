"""How well models forecast, and how training keeps up."""

from deploy.grafana.panels import Board, Panel


def _quantile(metric: str) -> str:
    return f"histogram_quantile(0.95, sum by (model_type, le) (rate({metric}_bucket[15m])))"


BOARD = Board(
    "stockwright-forecasting",
    "AI models and forecasting",
    (
        Panel(
            "Accuracy by model type",
            "Median MAPE of the active models; 15 % is the target.",
            "percentunit",
            {"{{model_type}}": "quantile by (model_type) (0.5, ai_model_accuracy_mape)"},
            warns_from=0.15,
            bad_from=0.2,
        ),
        Panel(
            "Worst items",
            "The ten items that are forecast worst, by MAPE.",
            "percentunit",
            {"{{item}}": "topk(10, max by (item) (ai_model_accuracy_mape))"},
            warns_from=0.15,
            bad_from=0.2,
        ),
        Panel(
            "Active models",
            "Models that forecast, by type.",
            "short",
            {"{{model_type}}": "sum by (model_type) (ai_models_active_total)"},
        ),
        Panel(
            "Training duration",
            "How long items took to train.",
            "s",
            {"{{le}}": "sum by (le) (increase(ai_train_duration_seconds_bucket[5m]))"},
            "heat",
        ),
        Panel(
            "Trainings",
            "Items trained or given up, a second.",
            "ops",
            {"{{status}}": "sum by (status) (rate(ai_train_total[15m]))"},
        ),
        Panel(
            "Training latency",
            "Time in which 95 % of items are trained.",
            "s",
            {"{{model_type}}": _quantile("ai_train_duration_seconds")},
        ),
        Panel(
            "Predictions",
            "Forecasts asked for, a second.",
            "ops",
            {
                "{{model_type}} {{status}}": "sum by (model_type, status) "
                "(rate(ai_predict_total[15m]))"
            },
        ),
        Panel(
            "Prediction latency",
            "Time in which 95 % of forecasts are made.",
            "s",
            {"{{model_type}}": _quantile("ai_predict_duration_seconds")},
            warns_from=0.1,
            bad_from=0.5,
        ),
        Panel(
            "Failures",
            "Trainings that failed, in the last hour.",
            "short",
            {
                "{{model_type}}": "sum by (model_type) "
                '(increase(ai_train_total{status="failed"}[1h]))'
            },
        ),
        Panel(
            "Jobs queued",
            "Entries that wait in the queue.",
            "short",
            {"{{kind}}": "max by (kind) (ai_jobs_queued)"},
        ),
        Panel(
            "Consumption derived",
            "Consumption records derived, a second.",
            "ops",
            {"records": "sum(rate(ai_consumption_derived_total[5m]))"},
        ),
        Panel(
            "Anomalies",
            "Unusual consumption that was found, in the last hour.",
            "short",
            {"{{kind}}": "sum by (kind) (increase(ai_anomalies_detected_total[1h]))"},
        ),
    ),
)
