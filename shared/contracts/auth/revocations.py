"""What auth answers the gateway that asks which tokens to refuse."""

from pydantic import BaseModel, ConfigDict


class RevocationsRead(BaseModel):
    """Of tokens not yet expired: sessions that are over, and by user least version and language.

    Beside them what the gateway must know of tenants.
    """

    model_config = ConfigDict(frozen=True)

    sessions: list[str]
    versions: dict[str, int]
    languages: dict[str, str]  # Chosen since, or taken from the tenant.
    requests_per_minute: dict[str, int] = {}  # Of tenants with a limit of their own.
