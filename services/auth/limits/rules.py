"""How far a tenant's limit may go."""

from typing import Final

REQUESTS_PER_MINUTE_MAX: Final = 100_000_000
