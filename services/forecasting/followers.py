"""Whose journals forecasting follows."""

from services.forecasting.consumption.service import FOLLOWED, apply_entries
from shared.journal.follow import Follower

FOLLOWERS = (Follower(producer="inventory", types=FOLLOWED, apply=apply_entries),)
