"""Cut the demo's sales out of the two open data sets: python demo/data/prepare.py SOURCE_FOLDER.

SOURCE_FOLDER holds pasta_daily.csv.gz, online_retail_daily.csv.gz and online_retail_lines.csv.gz.
Choosing is by rule, so the same source gives the same files, byte for byte.
"""

import csv
import gzip
import io
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from statistics import fmean, pvariance

HERE = Path(__file__).parent
PASTA_FROM = "2017-01-01"  # The last two years of the set.
PASTA_PER_CLASS = {"smooth": 6, "erratic": 6, "intermittent": 6, "lumpy": 6}
RETAIL_PER_CLASS = {"erratic": 6, "intermittent": 5, "lumpy": 5}  # None of it sells smoothly.
ALIVE_DAYS = 28  # An item without any sale in the last days was given up by the shop.
PEAK_MAX = 40.0  # times the mean sale; above it one order for a reseller hides all the rest

Row = dict[str, str]


def demand_class(quantities: Sequence[float]) -> str:
    """Return smooth, erratic, intermittent or lumpy.

    By the mean interval between sales and the squared variation of their sizes. Source: Syntetos,
    Boylan & Croston (2005), On the categorization of demand patterns, cut at 1.32 and 0.49.
    """
    sold = [quantity for quantity in quantities if quantity > 0]
    interval = len(quantities) / len(sold)
    variation = pvariance(sold) / fmean(sold) ** 2
    if interval < 1.32:  # noqa: PLR2004 - from the source.
        return "smooth" if variation < 0.49 else "erratic"  # noqa: PLR2004 - same.
    return "intermittent" if variation < 0.49 else "lumpy"  # noqa: PLR2004 - same.


def choose(series: Mapping[str, list[Row]], wanted: Mapping[str, int]) -> list[str]:
    """Return the items to keep: of each class those that sell most, if they still sell."""
    ranked: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for item, rows in series.items():
        quantities = [float(row["quantity"]) for row in rows]
        if sum(quantities[-ALIVE_DAYS:]) > 0 and max(quantities) <= PEAK_MAX * fmean(quantities):
            ranked[demand_class(quantities)].append((-fmean(quantities), item))
    kept = {
        item for name, count in wanted.items() for _, item in sorted(ranked.get(name, []))[:count]
    }
    return sorted(kept)


def pasta(source: Path) -> list[Row]:
    """Return item, date, quantity, promo of the chosen pasta items in their last two years."""
    rows = [row for row in _read(source / "pasta_daily.csv.gz") if row["date"] >= PASTA_FROM]
    series = _by_item(rows)
    return [row for item in choose(series, PASTA_PER_CLASS) for row in series[item]]


def online_retail(source: Path) -> list[Row]:
    """Return item, description, date, quantity, price of the chosen gifts over their year."""
    descriptions: dict[str, Counter[str]] = defaultdict(Counter)
    for line in _read(source / "online_retail_lines.csv.gz"):
        if float(line["quantity"]) > 0 and float(line["price"]) > 0:
            descriptions[line["item"]][" ".join(line["description"].split())] += 1
    series = {
        item: rows
        for item, rows in _by_item(_read(source / "online_retail_daily.csv.gz")).items()
        if item[:5].isdigit()  # Other codes are postage, fees and the like.
        and rows[0]["date"] < "2011-01-01"  # Sold over the whole year.
    }
    return [
        {"item": item, "description": descriptions[item].most_common(1)[0][0].title(), **row}
        for item in choose(series, RETAIL_PER_CLASS)
        for row in series[item]
    ]


def _by_item(rows: Iterable[Row]) -> dict[str, list[Row]]:
    return {item: list(group) for item, group in groupby(rows, key=lambda row: row["item"])}


def _read(path: Path) -> Iterable[Row]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _write(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))


def main(source: Path) -> None:
    _write(HERE / "pasta_daily.csv.gz", ["item", "date", "quantity", "promo"], pasta(source))
    columns = ["item", "description", "date", "quantity", "price"]
    _write(HERE / "online_retail_daily.csv.gz", columns, online_retail(source))


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - the script and its one argument.
        sys.exit("usage: python demo/data/prepare.py SOURCE_FOLDER")
    main(Path(sys.argv[1]))
