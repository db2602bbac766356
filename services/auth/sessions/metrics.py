"""What is measured of sign-ins, accounts and sessions."""

from prometheus_client import Counter, Gauge

attempts = Counter("auth_attempts_total", "Attempts to sign in.", ["status"])
failed_attempts = Counter("auth_failed_attempts_total", "Sign-ins refused.", ["reason"])
users_active = Gauge("users_active_total", "Accounts that are not locked.")
sessions_active = Gauge("sessions_active_total", "Sessions that go on.")
