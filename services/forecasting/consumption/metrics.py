"""What operators see of consumption."""

from prometheus_client import Counter

derived = Counter("ai_consumption_derived_total", "Consumption records derived.")
