"""`python -m demo`: the main job on real sales, through the public API of a running stack."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import stamina
from rich.console import Console
from rich.markup import escape

from demo import screen
from demo.catalogue import COST_SHARE, Article, articles
from demo.chapters import figures, forecasts, shop
from demo.client import Client, Refused
from demo.supply import AWAY_DAYS, Kind
from deploy.local.errors import StackError
from deploy.local.people import PEOPLE_FILE, Person, administrator
from deploy.local.settings import STATE_DIR, LocalSettings, read_settings

OUT = Path(__file__).parent / "out"
INTERRUPTED = 130  # What a shell expects after Ctrl-C.
FAILURES = (
    StackError,
    Refused,
    shop.LinesRefused,
    forecasts.NotFollowed,
    forecasts.NotTrained,
    figures.NotReported,
)


@dataclass
class Story:
    """What all parts share: the screen, the clock, and the seconds that each part took."""

    console: Console
    now: datetime
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def part(self, title: str) -> Iterator[None]:
        self.console.print(f"\n[bold]{len(self.seconds) + 1}. {title}[/bold]")
        began = time.monotonic()
        yield
        self.seconds[title] = time.monotonic() - began

    def say(self, text: str) -> None:
        self.console.print(f"   {text}")

    def stop(self, reason: str) -> None:
        self.console.print(f"\n[red]The demo stopped:[/red] {escape(reason)}", soft_wrap=True)


def main() -> int:
    stamina.instrumentation.set_on_retry_hooks(())  # Trying again is no news.
    story = Story(screen.make_console(), datetime.now(UTC))
    settings = read_settings()
    url = settings.url_of("gateway")
    try:
        with Client(url) as visitor:
            return 0 if tell(story, visitor, settings) else 1
    except httpx.TransportError as error:
        story.stop(f"{url} does not answer ({error}). Is it running? `make up` starts it.")
    except FAILURES as error:
        story.stop(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    return 1


def tell(story: Story, visitor: Client, settings: LocalSettings) -> bool:
    """Tell the story and return whether everything was verified at its end."""
    goods = articles((story.now - timedelta(days=1)).date())
    with story.part("A tenant of its own"):
        platform = visitor.signed_in(administrator(settings, STATE_DIR))
        tenant = shop.open_tenant(platform, story.now)
        client = visitor.signed_in(
            Person(STATE_DIR / PEOPLE_FILE, tenant.email, tenant.password, tenant.slug)
        )
        story.say(f"Signed in at {visitor.url} as the administrator of {tenant.slug}.")
    last_moved = replay_sales(story, client, goods)
    models = learn(story, client, goods, last_moved)
    show_orders(story, client, goods, models)
    show_figures(story, client)
    verified = verify(story, client)
    story.console.print()
    story.console.print(screen.timing_table(story.seconds))
    say_goodbye(story, visitor.url, tenant)
    return verified


def replay_sales(story: Story, client: Client, goods: list[Article]) -> str:
    """Fill the shop and return the code of the item that moved last."""
    with story.part("A shop with 40 items, and two years of real sales"):
        story.say(
            "Pasta of an Italian grocer (two years, list costs assigned by the demo) and gifts"
        )
        story.say(
            f"of a British wholesaler (one year, real prices, cost {COST_SHARE:.0%} of price)."
        )
        shop.build_warehouse(client)
        movements = shop.movements_of(goods)
        with screen.make_progress(story.console) as progress:
            shop.add_items(client, goods, progress)
            kinds = shop.send_movements(client, movements, progress)
        story.say(
            f"{kinds[Kind.ISSUE]:,} sales, {kinds[Kind.TRANSFER]:,} transfers to the shop floor, "
            f"{kinds[Kind.RECEIPT]:,} receipts, {kinds[Kind.COUNT]:,} counts; none refused."
        )
        story.say(
            f"The buyer has been away for {AWAY_DAYS} days: there will be something to order."
        )
        return movements[-1].code


def learn(
    story: Story, client: Client, goods: list[Article], last_moved: str
) -> list[forecasts.Json]:
    """Train models and return them."""
    with story.part("What is used, and what will be"):
        latest = next(article for article in goods if article.product.code == last_moved)
        waited = forecasts.wait_until_followed(client, latest)
        with screen.make_progress(story.console) as progress:
            count = forecasts.derive_consumption(client, goods, progress)
            forecasts.train(client, goods, progress)
        story.say(f"{count:,} consumption records, each as sold (followed after {waited:.1f} s).")
        models = forecasts.read_models(client)
        story.console.print(screen.winners_table(models))
        story.console.print(screen.accuracy_table(models))
        return models


def show_orders(
    story: Story, client: Client, goods: list[Article], models: list[forecasts.Json]
) -> None:
    with story.part("What to order, and why"):
        recommendations = forecasts.read_recommendations(client)
        story.console.print(screen.orders_table(recommendations))
        for path in forecasts.draw_charts(client, models, goods, OUT):
            story.say(f"Drawn: {os.path.relpath(path)}")


def show_figures(story: Story, client: Client) -> None:
    with story.part("The figures"):
        rows = figures.wait_until_reported(client)
        story.console.print(screen.statistics_table(figures.read_statistics(client)))
        story.console.print(screen.value_table(rows, figures.read_total(client)))


def verify(story: Story, client: Client) -> bool:
    with story.part("The proof"):
        with story.console.status("Reading the whole ledger, then every journal"):
            stock = figures.verify_stock(client)
            journals = figures.verify_journals(client)
        checked = stock["checked"]
        story.say(
            f"Stock against ledger and journal: {_verdict(is_well=stock['ok'])}, "
            f"{checked['levels']:,} levels, {checked['movements']:,} ledger rows, "
            f"{checked['entries']:,} journal entries."
        )
        for name, found in journals["services"].items():
            story.say(
                f"Journal of {name}: {found['status']}, {found['entries'] or 0:,} entries "
                f"under {found['checkpoints'] or 0:,} signed checkpoints."
            )
        return bool(stock["ok"] and journals["ok"])


def say_goodbye(story: Story, url: str, tenant: shop.Tenant) -> None:
    story.console.print(f"\nLook further: {url}/docs", soft_wrap=True)
    story.console.print(
        f"Sign in: tenant {tenant.slug}, {tenant.email}, password {tenant.password}; "
        f"the secret for an authenticator app is in {STATE_DIR / PEOPLE_FILE}",
        soft_wrap=True,
    )


def _verdict(*, is_well: bool) -> str:
    return "[green]verified[/green]" if is_well else "[red]DIFFERENCES FOUND[/red]"


if __name__ == "__main__":
    sys.exit(main())
