"""What operators see of webhooks."""

from prometheus_client import Counter, Gauge, Histogram

attempts = Counter(
    "inventory_webhook_attempts_total", "Messages sent, by what became of it.", ["outcome"]
)
duration = Histogram(
    "inventory_webhook_duration_seconds",
    "Time of one attempt.",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
waiting = Gauge("inventory_webhook_messages_waiting", "Messages that are still to be sent.")
lag = Gauge("inventory_webhook_lag_seconds", "How long the longest due message has been due.")

for _outcome in ("delivered", "failed", "dead"):
    attempts.labels(_outcome)
