"""What the person at the terminal sees: tables of at most WIDTH columns, and progress."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from statistics import fmean, median
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

WIDTH = 110
BASELINE = "seasonal_naive"
MEASURES = (("wape", "WAPE, days"), ("weekly_mape", "MAPE, weeks"), ("rmsse", "RMSSE"))

Json = dict[str, Any]


class SpeedColumn(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed and speed > 1 else "")


def make_console() -> Console:
    """Return a console that is as wide as the terminal, at most WIDTH; a file gets WIDTH."""
    terminal = Console(highlight=False)
    width = min(terminal.width, WIDTH) if sys.stdout.isatty() else WIDTH
    return Console(width=width, highlight=False)


def make_progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(finished_text=" "),
        TextColumn("{task.description:<12}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        SpeedColumn(),
        TimeElapsedColumn(),
        console=console,
    )


def winners_table(models: Sequence[Json]) -> Table:
    """Show how often each method was tried, had the best backtest, and is in the model kept."""
    tried = Counter(name for model in models for name in model["candidates"])
    best = Counter(_best(model["candidates"]) for model in models if model["candidates"])
    weights: dict[str, list[float]] = {}
    for model in models:
        for name, weight in model["weights"].items():
            weights.setdefault(name, []).append(weight)
    table = _table(
        "Which method won", "Method", "Tried", "Best backtest", "In the model", "Mean weight there"
    )
    for name in sorted(tried, key=lambda each: (-best[each], each)):
        label = f"{name} (baseline)" if name == BASELINE else name
        kept = weights.get(name, [])
        share = _percent(fmean(kept) if kept else None)
        table.add_row(label, str(tried[name]), str(best[name]), str(len(kept)), share)
    return table


def accuracy_table(models: Sequence[Json]) -> Table:
    """Show the median error of the kept models beside seasonal naive, by class of demand."""
    table = _table("Backtest error, median of items: model | seasonal naive", "Demand", "Items")
    for _, title in MEASURES:
        table.add_column(title, justify="right")
    table.add_column("Beat naive", justify="right")
    table.add_column("Days in 80 % interval", justify="right")
    classes = sorted({model["demand_class"] for model in models})
    groups = {name: [m for m in models if m["demand_class"] == name] for name in classes}
    for name, members in (groups | {"all": list(models)}).items():
        beaten = sum(model["beats_baseline"] for model in members)
        table.add_row(
            name,
            str(len(members)),
            *(_beside(members, measure) for measure, _ in MEASURES),
            f"{beaten} of {len(members)}",
            _percent(_median(members, "accuracy_metrics", "coverage_80")),
            style="bold" if name == "all" else "",
        )
    return table


def orders_table(recommendations: Sequence[Json]) -> Table:
    """Show what to order, when and why; quantities in stock units, orders in packs."""
    table = _table("To order: every item at or below its reorder point", "Item")
    for name in ("On\nhand", "Lead time needs\n(80 %)", "Out on", "Order\nat", "Order", "By"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Why")
    for each in recommendations:
        demand = each["demand"]
        bounds = f"{_number(demand['lower_80'])}-{_number(demand['upper_80'])}"
        table.add_row(
            each["item_code"],
            _number(each["on_hand"]),
            f"{_number(demand['expected'])} ({bounds})",
            _day(each["stock_out_date"]),
            _number(each["reorder_point"]),
            f"{each['packs']} x {_number(each['pack_size'])}",
            _day(each["order_by"]),
            each["reason"],
        )
    return table


def value_table(rows: Sequence[Json], total: Json) -> Table:
    """Show what the stock cost by weighted average, by category."""
    table = _table(
        "Inventory value by weighted average cost", "Category", "Items", "Units", "Value"
    )
    for row in rows:
        table.add_row(
            row["name"], str(row["items"]), _number(row["quantity"]), f"{float(row['value']):,.2f}"
        )
    amount = f"{float(total['total']):,.2f} {total['currency']}"
    table.add_row("Total", "", "", amount, style="bold")
    return table


def statistics_table(stats: Json) -> Table:
    """Show the figures of the dashboard."""
    table = _table(f"Dashboard, as of {stats['as_of'][:19].replace('T', ' ')} UTC", "Figure", "")
    week = stats["movements"]["last_7_days"]
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(week["by_kind"].items()))
    table.add_row("Active items", str(stats["active_items"]))
    table.add_row("Items at locations with stock", str(stats["on_hand_lines"]))
    table.add_row("Items at or below their reorder point", str(stats["low_stock"]))
    table.add_row("Items out of stock", str(stats["out_of_stock"]))
    table.add_row("Movements of the last 7 days", f"{week['total']:,} ({kinds})")
    if stats["inventory_value"] is not None:
        value = stats["inventory_value"]
        table.add_row("Inventory value", f"{float(value['amount']):,.2f} {value['currency']}")
    return table


def timing_table(seconds: Mapping[str, float]) -> Table:
    table = _table("Time taken", "Part", "Seconds")
    for name, taken in seconds.items():
        table.add_row(name, f"{taken:.1f}")
    table.add_row("Total", f"{sum(seconds.values()):.1f}", style="bold")
    return table


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _best(candidates: Mapping[str, float]) -> str:
    return min(candidates, key=lambda name: candidates[name])


def _beside(models: Sequence[Json], measure: str) -> str:
    show = _ratio if measure == "rmsse" else _percent
    model, naive = (_median(models, kind, measure) for kind in ("accuracy_metrics", "baseline"))
    return f"{show(model)} | {show(naive)}"


def _median(models: Sequence[Json], kind: str, measure: str) -> float | None:
    known = [model[kind][measure] for model in models if model[kind][measure] is not None]
    return median(known) if known else None


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _number(text: str) -> str:
    return f"{float(text):,.0f}"


def _day(text: str | None) -> str:
    return f"{date.fromisoformat(text):%d %b}" if text else "-"
