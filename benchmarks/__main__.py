"""All benchmarks that are short, in one run: `make bench`."""

from benchmarks import gateway, stock


def main() -> None:
    """Run them one after the other; together they take about two minutes."""
    gateway.main()
    stock.main()


main()
