"""All benchmarks that are short, in one run: `make bench`."""

from benchmarks import bodies, clients, counts, gateway, growth, past, routes, scrape, stock


def main() -> None:
    """Run them one after the other; together they take about ten minutes."""
    routes.main()
    bodies.main()
    scrape.main()
    gateway.main()
    stock.main()
    clients.main()
    counts.main()
    past.main()
    growth.main()


main()
