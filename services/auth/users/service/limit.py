"""The locations that a user is limited to."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.users.errors import AdministratorUnlimited
from services.auth.users.models import User
from services.auth.users.rules import may_be_limited
from shared import journal
from shared.contracts.auth.users import UserLocationsChanged


def limit(session: AsyncSession, user: User, locations: Sequence[UUID] | None) -> bool:
    """Limit the user to these locations, or with none to none; say whether that changed anything.

    What they are inventory knows alone: an id that is no location's gives nothing.
    Raises AdministratorUnlimited.
    """
    wanted = sorted(set(locations or ())) or None
    if wanted and not may_be_limited(user.role):
        raise AdministratorUnlimited
    before = user.locations
    if wanted == before:
        return False
    user.locations = wanted
    changed = UserLocationsChanged(user_id=user.id, before=before, after=wanted)
    journal.record(session, changed)
    return True
