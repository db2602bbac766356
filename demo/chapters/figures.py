"""What management looks at, and what auditors do."""

import time
from decimal import Decimal
from typing import Any

from demo.client import Client

POLL_S = 0.4
REPORT_WAIT_S = 60.0
VALUE_PATH = "/api/reports/inventory-value"

Json = dict[str, Any]


class NotReported(Exception):
    """Reporting does not show the stock that inventory holds."""


def wait_until_reported(client: Client) -> list[Json]:
    """Return the value of the stock by category, once it covers all that inventory holds.

    Raises NotReported.
    """
    held = sum(Decimal(item["on_hand"]) for item in client.pages("/api/inventory", limit=200))
    deadline = time.monotonic() + REPORT_WAIT_S
    while True:
        rows = list(client.pages(VALUE_PATH, method="wac", by="category"))
        if sum(Decimal(row["quantity"]) for row in rows) == held:
            return rows
        if time.monotonic() > deadline:
            raise NotReported(f"Reporting does not show the {held} units that inventory holds.")
        time.sleep(POLL_S)


def read_total(client: Client) -> Json:
    """Return the value report's head: total, currency, moment."""
    found: Json = client.get(VALUE_PATH, method="wac", by="category", limit=1)
    return found


def read_statistics(client: Client) -> Json:
    """Return the figures of the dashboard."""
    found: Json = client.get("/api/dashboard/stats")
    return found


def verify_stock(client: Client) -> Json:
    """Return the comparison of stock, ledger and journal."""
    found: Json = client.get("/api/inventory/verify")
    return found


def verify_journals(client: Client) -> Json:
    """Return the verification of every service's chain of checkpoints."""
    found: Json = client.get("/api/audit/verify")
    return found
