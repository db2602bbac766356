"""Which item a code or barcode names."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.items.models import Identifier, Item
from services.inventory.items.rules import Label


async def list_labels(session: AsyncSession, item_id: UUID) -> dict[str, Label]:
    """Return what names an item, by key."""
    rows = await session.scalars(
        select(Identifier).where(Identifier.item_id == item_id).order_by(Identifier.key)
    )
    return {row.key: Label(row.is_code, row.barcode, row.unit) for row in rows}


async def release_keys(session: AsyncSession, keys: Collection[str]) -> None:
    await session.execute(delete(Identifier).where(Identifier.key.in_(keys)))


async def claim_keys(session: AsyncSession, item_id: UUID, labels: dict[str, Label]) -> set[str]:
    """Give keys to an item and return those that were free.

    Waits for whoever is about to take one of them; in the order of the keys, so that no two wait
    for each other. A key that is another's is left alone rather than broken on, since a broken
    transaction could not tell whose it is.
    """
    rows = [
        {
            "key": key,
            "item_id": item_id,
            "is_code": label.is_code,
            "barcode": label.barcode,
            "unit": label.unit,
        }
        for key, label in sorted(labels.items())
    ]
    claimed = (
        insert(Identifier)
        .values(rows)
        .on_conflict_do_nothing(constraint="identifiers_pkey")
        .returning(Identifier.key)
    )
    return set(await session.scalars(claimed))


async def list_holders(session: AsyncSession, keys: Sequence[str]) -> dict[str, str]:
    """Return the code of the item that each of these keys names."""
    query = (
        select(Identifier.key, Item.code)
        .join(Item, Item.id == Identifier.item_id)
        .where(Identifier.key.in_(keys))
    )
    return {row.key: row.code for row in await session.execute(query)}
