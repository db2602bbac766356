"""What auth answers a service that asks for a token."""

from shared.schemas import Output


class ServiceTokenRead(Output):
    access_token: str
    expires_in: int  # Seconds.
