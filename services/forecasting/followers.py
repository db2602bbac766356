"""Whose journals forecasting follows."""

from collections.abc import Sequence

from services.forecasting.consumption.service import FOLLOWED, apply_entries
from services.forecasting.settings import Settings
from shared.journal.apply import Follower


def followers(_own: Settings) -> Sequence[Follower]:
    return (Follower(producer="inventory", types=FOLLOWED, apply=apply_entries),)
