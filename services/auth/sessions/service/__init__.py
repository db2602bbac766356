"""Sessions: signing in, refreshing, signing out, and forgetting what has ended."""

from services.auth.sessions.service.refresh import refresh
from services.auth.sessions.service.sign_in import sign_in
from services.auth.sessions.service.sign_out import sign_out
from services.auth.sessions.service.upkeep import forget_ended, measure_active

__all__ = ["forget_ended", "measure_active", "refresh", "sign_in", "sign_out"]
