from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base
from shared.ids import new_id


class Category(Base):
    """A kind of items, within another one or by itself.

    A name that is null was not said in that language; the other one stands for it. The keys are of
    the names as they are read, and no two siblings share one.
    """

    __tablename__ = "categories"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name_en: Mapped[str | None]
    name_fr: Mapped[str | None]
    key_en: Mapped[str]
    key_fr: Mapped[str]
    attribute_schema: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("categories.id"))
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
