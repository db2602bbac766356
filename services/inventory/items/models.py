from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base
from shared.ids import new_id


class Item(Base):
    """Something that is kept in stock, counted in stock units.

    A name or description that is null was not said in that language; the other one stands for it.
    """

    __tablename__ = "items"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str]  # As typed; its key is in identifiers.
    name_en: Mapped[str | None]
    name_fr: Mapped[str | None]
    description_en: Mapped[str | None]
    description_fr: Mapped[str | None]
    category_id: Mapped[UUID | None] = mapped_column(ForeignKey("categories.id"))
    unit: Mapped[str]
    packs: Mapped[list[dict[str, str]]] = mapped_column(JSONB)  # See rules.stored_packs.
    pack_size: Mapped[Decimal]  # Stock units in the pack that it is ordered in.
    pack_unit: Mapped[str | None]
    tracking: Mapped[str]
    par_level: Mapped[Decimal | None]
    reorder_point: Mapped[Decimal | None]
    reorder_quantity: Mapped[Decimal | None]
    maximum: Mapped[Decimal | None]  # Most that should lie there.
    lead_time_days: Mapped[int | None]
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    cost_id: Mapped[UUID | None]  # The unit cost in force, a row of prices.
    price_id: Mapped[UUID | None]  # The selling price in force.
    frozen_by: Mapped[UUID | None]  # The freeze that covers it; see freezes.
    active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)
    search_text: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class SearchWord(Base):
    """A word of names or categories, and the item that brought it; kept by a trigger of items."""

    __tablename__ = "search_words"

    word: Mapped[str] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(primary_key=True)


class Identifier(Base):
    """What one key names: an item's code, one of its barcodes, or both in one. None names two."""

    __tablename__ = "identifiers"

    key: Mapped[str] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("items.id"))
    is_code: Mapped[bool]
    barcode: Mapped[str | None]  # As printed on the label; null where the key is a code alone.
    unit: Mapped[str | None]  # Key of the pack it is printed on; null for the stock unit.
