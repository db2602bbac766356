"""What is measured of attempts that are refused unseen."""

from prometheus_client import Counter

throttled = Counter("auth_throttled_total", "Attempts to sign in refused unseen.", ["kind"])

throttled.labels("network")  # From 0 on: the first one is an alert.
