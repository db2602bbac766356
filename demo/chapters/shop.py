"""A tenant of its own, a warehouse, forty items, and two years of movements."""

import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.progress import Progress

from demo.catalogue import CURRENCY, Article
from demo.client import Client, Refused
from demo.supply import (
    BACK_STORE,
    SHOP_FLOOR,
    Kind,
    Movement,
    in_time_order,
    last_reorder_point,
    replay,
)

WAREHOUSE = "Demo shop"
ADMIN_EMAIL = "planner@demo.example"
LINES_A_CALL = 5000
SHOWN_REFUSALS = 5
PLACES: Mapping[Kind, Mapping[str, str]] = {
    Kind.RECEIPT: {"location": BACK_STORE},
    Kind.TRANSFER: {"location": BACK_STORE, "to_location": SHOP_FLOOR},
    Kind.ISSUE: {"location": SHOP_FLOOR},
    Kind.COUNT: {"location": SHOP_FLOOR, "reason": "Cycle count"},
}


class LinesRefused(Exception):
    """The server did not apply movements that it should have applied."""


@dataclass(frozen=True)
class Tenant:
    """The demo's own tenant and who may sign in to it."""

    slug: str
    email: str
    password: str


def open_tenant(platform: Client, now: datetime) -> Tenant:
    """Create a tenant named after the moment. `platform` is a platform administrator."""
    tenant = Tenant(f"demo-{now:%Y%m%d-%H%M%S}", ADMIN_EMAIL, secrets.token_urlsafe(12))
    platform.post("/api/tenants", tenant_body(tenant, now))
    return tenant


def tenant_body(tenant: Tenant, now: datetime) -> dict[str, Any]:
    """Return a tenant as the API takes it."""
    return {
        "name": f"Demo of {now:%d %B %Y, %H:%M}",
        "slug": tenant.slug,
        "admin_email": tenant.email,
        "admin_password": tenant.password,
        "admin_password_change_required": False,  # Shown at the end, to sign in with.
        "currency": CURRENCY,
    }


def build_warehouse(client: Client) -> None:
    client.post("/api/locations", {"name": WAREHOUSE, "type": "warehouse"})
    for zone in (BACK_STORE, SHOP_FLOOR):
        client.post("/api/locations", {"name": zone, "type": "zone", "parent": WAREHOUSE})


def add_items(client: Client, articles: Sequence[Article], progress: Progress) -> None:
    for article in progress.track(articles, description="Items"):
        client.post("/api/inventory/add-item", item_body(article))


def item_body(article: Article) -> dict[str, Any]:
    """Return an article as the API takes it."""
    product = article.product
    return {
        "code": product.code,
        "name": {"en": product.name_en, "fr": product.name_fr},
        "category": product.category,
        "unit": "each",
        "pack_size": product.pack_size,
        "pack_unit": product.pack_unit,
        "lead_time_days": product.lead_time_days,
        "reorder_point": last_reorder_point(product, article.sales),
        "unit_cost": str(product.unit_cost),
        "price": str(product.price),
    }


def movements_of(articles: Sequence[Article]) -> list[Movement]:
    """Return the movements of all items in order of time."""
    return in_time_order(
        replay(article.product, article.sales, number) for number, article in enumerate(articles)
    )


def send_movements(
    client: Client, movements: Sequence[Movement], progress: Progress
) -> Counter[Kind]:
    """Record all movements in bulk calls and return how many of each kind.

    Raises LinesRefused, naming lines, when the server applies fewer than it was sent.
    """
    task = progress.add_task("Movements", total=len(movements))
    for call in _calls(movements):
        try:
            answer = client.post("/api/inventory/movements/bulk", bulk_body(call))
        except Refused as error:
            raise LinesRefused(_refusals(call, error)) from error
        if answer["refused"] or answer["applied"] != len(call):
            raise LinesRefused(f"{answer['refused']} of {len(call)} lines were refused.")
        progress.advance(task, len(call))
    return Counter(movement.kind for movement in movements)


def bulk_body(movements: Sequence[Movement]) -> dict[str, Any]:
    """Return a call that applies all of the movements or none."""
    return {"lines": [line_body(each) for each in movements], "mode": "atomic"}


def line_body(movement: Movement) -> dict[str, Any]:
    """Return a movement as the API takes it."""
    line: dict[str, Any] = {
        "kind": movement.kind.value,
        "item": movement.code,
        "quantity": movement.quantity,
        "reference": movement.reference,
        "occurred_at": movement.at.isoformat(),
        **PLACES[movement.kind],
    }
    if movement.unit_cost is not None:
        line["unit_cost"] = str(movement.unit_cost)
    return line


def _calls(movements: Sequence[Movement]) -> Iterator[Sequence[Movement]]:
    for start in range(0, len(movements), LINES_A_CALL):
        yield movements[start : start + LINES_A_CALL]


def _refusals(call: Sequence[Movement], error: Refused) -> str:
    lines = [
        f"  {call[each['line']].at:%Y-%m-%d %H:%M} {call[each['line']].code}: {each['message']}"
        for each in error.problem.get("results", [])[:SHOWN_REFUSALS]
    ]
    return "\n".join([str(error), *lines])
