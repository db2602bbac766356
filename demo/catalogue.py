"""The items of the demo: what the sales data says of them, and what it does not.

The pasta set names brands and items by number and has no prices: list costs are assigned here, the
same in every run. The gifts have real descriptions and prices; their cost is COST_SHARE of that.
Packs and lead times are plausible, not known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import fmean
from zlib import crc32

from demo.sales import GIFTS, PASTA, SalesSeries, read_series

CURRENCY = "GBP"  # The gifts' prices are pounds.
COST_SHARE = Decimal("0.55")  # of a gift's price
MARKUP = Decimal("1.5")  # from a pasta item's list cost to its price
PENNY = Decimal("0.01")
BRAND_COSTS: Mapping[str, Decimal] = {  # Pounds a unit, before the item's own difference.
    "B1": Decimal("0.62"),
    "B2": Decimal("0.84"),
    "B4": Decimal("1.05"),
}
BRAND_LEAD_TIMES: Mapping[str, int] = {"B1": 3, "B2": 4, "B4": 6}  # days
FAST_SELLER = 5.0  # units a day
GIFT_LEAD_TIME_DAYS = 9

# Code: French name, category, units in a box.
GIFT_DETAILS: Mapping[str, tuple[str, str, int]] = {
    "15036": ("Éventail en soie, couleurs assorties", "Party and wrap", 48),
    "17003": ("Bourse à bague en brocart", "Bags", 72),
    "20725": ("Sac à déjeuner rétro à pois rouges", "Bags", 20),
    "22178": ("Photophore suspendu en verre victorien", "Home", 24),
    "22282": ("Maisonnette à 12 œufs en bois peint", "Home", 2),
    "22355": ("Sac Charlotte, motif Suki", "Bags", 20),
    "22492": ("Mini-boîte de peinture rétro", "Toys and crafts", 36),
    "22616": ("Lot de 12 mouchoirs Londres", "Party and wrap", 48),
    "22705": ("Papier cadeau poires vertes", "Party and wrap", 25),
    "22794": ("Porte-revues en fil métallique à cœurs", "Home", 2),
    "47566": ("Guirlande de fanions", "Party and wrap", 20),
    "84077": ("Planeurs Seconde Guerre mondiale, assortis", "Toys and crafts", 48),
    "84879": ("Oiseau décoratif, couleurs assorties", "Home", 32),
    "84913B": ("Serviette vert menthe à roses", "Home", 6),
    "84923": ("Sac à main papillon rose à pompons", "Bags", 6),
    "85099B": ("Grand sac rétro à pois rouges", "Bags", 40),
}


@dataclass(frozen=True)
class Product:
    """An item as the demo enters it; amounts in pounds a unit."""

    code: str
    name_en: str
    name_fr: str
    category: str
    pack_size: int
    pack_unit: str
    lead_time_days: int
    unit_cost: Decimal
    price: Decimal


@dataclass(frozen=True)
class Article:
    """A product and its real sales."""

    product: Product
    sales: SalesSeries


def articles(yesterday: date) -> list[Article]:
    """Return all items of the demo with their sales up to `yesterday`."""
    pasta = [Article(pasta_product(sales), sales) for sales in read_series(PASTA, yesterday)]
    gifts = [Article(gift_product(sales), sales) for sales in read_series(GIFTS, yesterday)]
    return pasta + gifts


def pasta_product(sales: SalesSeries) -> Product:
    """Return the product of an item coded PASTA_<brand>_<number>."""
    _, brand, number = sales.code.split("_")
    mark = brand.removeprefix("B")
    spread = Decimal(crc32(sales.code.encode()) % 31) / 100  # 0 to 0.30
    cost = (BRAND_COSTS[brand] * (Decimal("0.85") + spread)).quantize(PENNY)
    return Product(
        code=sales.code,
        name_en=f"Pasta brand {mark}, item {number}",
        name_fr=f"Pâtes marque {mark}, article {number}",
        category=f"Pasta brand {mark}",
        pack_size=24 if fmean(sales.quantities) >= FAST_SELLER else 12,
        pack_unit="case",
        lead_time_days=BRAND_LEAD_TIMES[brand],
        unit_cost=cost,
        price=(cost * MARKUP).quantize(PENNY),
    )


def gift_product(sales: SalesSeries) -> Product:
    """Return the product of a gift, its cost derived from its real price."""
    name_fr, category, pack_size = GIFT_DETAILS[sales.code]
    price = sales.price or Decimal(0)
    return Product(
        code=sales.code,
        name_en=sales.description,
        name_fr=name_fr,
        category=category,
        pack_size=pack_size,
        pack_unit="box",
        lead_time_days=GIFT_LEAD_TIME_DAYS,
        unit_cost=(price * COST_SHARE).quantize(PENNY),
        price=price,
    )
