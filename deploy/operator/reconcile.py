"""`reconcile`: ledger, levels, counts and journal of inventory, and what reporting has."""

import json
import time
from typing import Any

from deploy.operator.place import Installation, show
from deploy.operator.report import DONE, FINDINGS, Report

TRIES = 3
PAUSE_S = 2.0  # For followers to read on: what is still different then, alike, is different.
SHOWN_MAX = 100

Stock = dict[str, dict[str, str]]


def reconcile(place: Installation) -> Report:
    """Return each difference between what must be equal; each is a finding."""
    findings: list[dict[str, Any]] = []
    is_whole, said = place.judge("inventory", "verify-stock")
    if not is_whole:
        findings += [{"check": "stock", **_read(line)} for line in said.splitlines()]
    lines = [f"inventory, levels, ledger, counts, prices and journal: {said.splitlines()[-1]}"]
    differing, compared = _compare_reporting(place)
    findings += differing
    lines.append(f"reporting against inventory: {compared:,} amounts, {len(differing)} different")
    lines += [json.dumps(finding, default=str) for finding in findings[:SHOWN_MAX]]
    content = {"ok": not findings, "compared": compared, "findings": findings}
    return Report(lines, content, FINDINGS if findings else DONE)


def differences(inventory: Stock, reporting: Stock) -> set[tuple[str, str, str, str]]:
    """Return (tenant, item and location, inventory's amount, reporting's) where they differ."""
    found = set()
    for tenant in inventory.keys() | reporting.keys():
        ours, theirs = inventory.get(tenant, {}), reporting.get(tenant, {})
        for key in ours.keys() | theirs.keys():
            pair = ours.get(key, "0"), theirs.get(key, "0")
            if pair[0] != pair[1]:
                found.add((tenant, key, *pair))
    return found


def _compare_reporting(place: Installation) -> tuple[list[dict[str, Any]], int]:
    """Compare until nothing differs, or what does stays as it is."""
    lasting: set[tuple[str, str, str, str]] | None = None
    compared = 0
    for tried in range(TRIES):
        reporting = place.ask_json("reporting", "stock")
        inventory = place.ask_json("inventory", "stock")
        compared = sum(map(len, inventory.values()))
        found = differences(inventory, reporting)
        lasting = found if lasting is None else lasting & found
        if not lasting:
            break
        if tried < TRIES - 1:
            show(f"{len(lasting):,} amounts differ; once more, as reporting may only be behind …")
            time.sleep(PAUSE_S)
    return [
        {
            "check": "reporting", "tenant_id": tenant, "item_id": key.split(" ")[0],
            "location_id": key.split(" ")[1], "inventory": ours, "reporting": theirs,
        }
        for tenant, key, ours, theirs in sorted(lasting or ())
    ], compared  # fmt: skip


def _read(line: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        return {"said": line}
    return found
