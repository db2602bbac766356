"""What operators see of the cache."""

from prometheus_client import Gauge

cache_size = Gauge("cache_size_bytes", "What the values in the cache take.")
cache_memory_usage = Gauge("cache_memory_usage_bytes", "What the cache takes in all.")
