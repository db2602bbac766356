"""All benchmarks that are short, in one run: `make bench`."""

from benchmarks import bodies, gateway, routes, stock


def main() -> None:
    """Run them one after the other; together they take about two minutes."""
    routes.main()
    bodies.main()
    gateway.main()
    stock.main()


main()
