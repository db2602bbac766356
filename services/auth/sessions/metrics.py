"""What is measured of sign-ins, accounts and sessions."""

from typing import get_args

from prometheus_client import Counter, Gauge

from shared.contracts.auth.sessions import RefusalReason

attempts = Counter("auth_attempts_total", "Attempts to sign in.", ["status"])
failed_attempts = Counter("auth_failed_attempts_total", "Sign-ins refused.", ["reason"])
users_active = Gauge("users_active_total", "Accounts that are not locked.")
sessions_active = Gauge("sessions_active_total", "Sessions that go on.")

for _status in ("success", "failure", "throttled"):
    attempts.labels(_status)  # From 0 on: the first failure is to be seen as one.
for _reason in get_args(RefusalReason):
    failed_attempts.labels(_reason)
