"""Consumption out of the ledger, models out of consumption, orders out of models."""

import time
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from rich.progress import Progress

from demo import charts
from demo.catalogue import Article
from demo.client import Client, Refused

POLL_S = 0.4
FOLLOW_WAIT_S = 60.0
TRAINING_WAIT_S = 600.0
HORIZON_DAYS = 28
TRAINING_DAYS = 730
ITEMS_A_PAGE = 10
CHARTED = ("PASTA_B2_15", "20725", "PASTA_B4_6", "22282")  # Smooth, erratic, lumpy, intermittent.
FINAL = frozenset({"succeeded", "failed", "cancelled"})

Json = dict[str, Any]


class NotFollowed(Exception):
    """What forecasting derived is not what was sold."""


class NotTrained(Exception):
    """The training job failed, or does not end."""


def wait_until_followed(client: Client, article: Article) -> float:
    """Return the seconds until forecasting knew all sales of the item that moved last.

    Forecasting follows the journal in its order, so it then knows all items. Raises NotFollowed.
    """
    began = time.monotonic()
    expected = sum(article.sales.quantities)
    while _issued(client, article) != expected:
        if time.monotonic() - began > FOLLOW_WAIT_S:
            raise NotFollowed(f"Forecasting is still behind after {FOLLOW_WAIT_S:.0f} s.")
        time.sleep(POLL_S)
    return time.monotonic() - began


def derive_consumption(client: Client, articles: Sequence[Article], progress: Progress) -> int:
    """Derive all consumption and return the number of records.

    Raises NotFollowed unless every single day's consumption is what was really sold.
    """
    records: list[Json] = []
    task = progress.add_task("Consumption", total=len(articles))
    for page in _derived_pages(client, articles):
        records += page["records"]
        progress.advance(task, ITEMS_A_PAGE)
    derived = {
        (record["item_code"], date.fromisoformat(record["date"])): float(record["quantity"])
        for record in records
        if float(record["quantity"])
    }
    sold = {(a.product.code, day): float(n) for a in articles for day, n in a.sales.days() if n}
    wrong = sum(derived.get(key) != sold.get(key) for key in derived.keys() | sold.keys())
    if wrong:
        raise NotFollowed(f"On {wrong} item days, consumption is not what was sold.")
    return len(records)


def _derived_pages(client: Client, articles: Sequence[Article]) -> Iterator[Json]:
    first = min(article.sales.first_day for article in articles)
    last = max(article.sales.last_day for article in articles)
    window = {"from": first.isoformat(), "to": last.isoformat(), "limit": ITEMS_A_PAGE}
    cursor = None
    while True:
        page = client.post("/api/ai/consumption/derive", window | {"cursor": cursor})
        yield page
        cursor = page["next_cursor"]
        if cursor is None:
            return


def train(client: Client, articles: Sequence[Article], progress: Progress) -> Json:
    """Train all items through the queue and return the finished job. Raises NotTrained."""
    codes = [article.product.code for article in articles]
    job: Json = client.post("/api/ai/forecast/train", training_body(codes))
    task = progress.add_task("Models", total=job["total"])
    deadline = time.monotonic() + TRAINING_WAIT_S
    while job["state"] not in FINAL:
        if time.monotonic() > deadline:
            raise NotTrained(f"Job {job['id']} has not ended after {TRAINING_WAIT_S:.0f} s.")
        time.sleep(POLL_S)
        job = client.get(f"/api/ai/jobs/{job['id']}")
        progress.update(task, completed=job["done"])
    if job["state"] != "succeeded" or job["errors"]:
        told = "; ".join(f"{each['item_code']}: {each['message']}" for each in job["errors"][:5])
        raise NotTrained(f"Job {job['id']} {job['state']}: {told}")
    return job


def training_body(codes: Sequence[str]) -> Json:
    """Return what to train. No country: holidays did not move with the sales."""
    return {
        "item_codes": list(codes),
        "model_type": "auto",
        "training_days": TRAINING_DAYS,
        "forecast_periods": HORIZON_DAYS,
    }


def read_models(client: Client) -> list[Json]:
    """Return every active model with how it came about."""
    active = client.pages("/api/ai/models/list", member="models", status="active", limit=200)
    return [client.get(f"/api/ai/models/{model['id']}") for model in active]


def read_recommendations(client: Client) -> list[Json]:
    """Return what to order, the most urgent first."""
    found = list(client.pages("/api/ai/recommendations", limit=200))
    return sorted(found, key=lambda each: (each["stock_out_date"] or "9", each["item_code"]))


def draw_charts(
    client: Client, models: Sequence[Json], articles: Sequence[Article], folder: Path
) -> list[Path]:
    """Draw one item of each kind of demand and return the files."""
    from demo.plot import draw  # noqa: PLC0415 - see there; only this chapter's end needs it.

    named = {article.product.code: article for article in articles}
    kept = {model["entity_id"]: model for model in models}
    paths = []
    for code in CHARTED:
        path = folder / f"{code}.png"
        draw(_picture(client, named[code], kept[code]), path)
        paths.append(path)
    return paths


def _picture(client: Client, article: Article, model: Json) -> charts.Picture:
    code = article.product.code
    since = article.sales.last_day - timedelta(days=charts.HISTORY_DAYS - 1)
    window = {"from": since.isoformat(), "to": article.sales.last_day.isoformat()}
    consumption = client.get(f"/api/ai/consumption/{code}", **window)
    forecast = client.get(f"/api/ai/forecast/{code}", periods=HORIZON_DAYS)
    methods = " + ".join(sorted(model["weights"], key=lambda name: -model["weights"][name]))
    return charts.Picture(
        title=f"{code}, {article.product.name_en}: {model['demand_class']} demand, {methods}",
        sold=[
            (date.fromisoformat(day["date"]), float(day["quantity"])) for day in consumption["days"]
        ],
        points=[
            charts.Point(**(point | {"date": date.fromisoformat(point["date"])}))
            for point in forecast["points"]
        ],
    )


def _issued(client: Client, article: Article) -> float | None:
    sales = article.sales
    window = {"from": sales.first_day.isoformat(), "to": sales.last_day.isoformat()}
    try:
        answer = client.get(f"/api/ai/consumption/{article.product.code}", **window)
    except Refused as error:
        if error.code == "item_not_found":  # Not even that has been followed yet.
            return None
        raise
    return float(answer["total"])
