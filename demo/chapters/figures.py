"""What management looks at, and what auditors do."""

import time
from typing import Any

from demo.client import Client

POLL_S = 0.4
FRESH_WAIT_S = 60.0

Json = dict[str, Any]


def wait_until_reported(client: Client) -> Json:
    """Return the value of the stock once reporting has counted every journal entry.

    Gives up waiting after FRESH_WAIT_S and returns what there is, which says how old it is.
    """
    deadline = time.monotonic() + FRESH_WAIT_S
    while True:
        stats: Json = client.get("/api/dashboard/stats")
        if all(each["status"] == "current" for each in stats["freshness"]):
            return stats
        if time.monotonic() > deadline:
            return stats
        time.sleep(POLL_S)


def read_value(client: Client) -> tuple[Json, list[Json]]:
    """Return the value report by category: its head, and all its rows."""
    path = "/api/reports/inventory-value"
    head = client.get(path, method="wac", by="category")
    return head, list(client.pages(path, method="wac", by="category"))


def verify_stock(client: Client) -> Json:
    """Return the comparison of stock, ledger and journal."""
    found: Json = client.get("/api/inventory/verify")
    return found


def verify_journals(client: Client) -> Json:
    """Return the verification of every service's chain of checkpoints."""
    found: Json = client.get("/api/audit/verify")
    return found
