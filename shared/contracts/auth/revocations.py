"""What auth answers the gateway that asks which tokens to refuse."""

from pydantic import BaseModel, ConfigDict


class RevocationsRead(BaseModel):
    """Of tokens not yet expired: sessions that are over, and by user least version and language."""

    model_config = ConfigDict(frozen=True)

    sessions: list[str]
    versions: dict[str, int]
    languages: dict[str, str]  # Chosen since, or taken from the tenant.
