from pydantic import Field, SecretStr

from shared.schemas import Input


class ServiceTokenCreate(Input):
    client_id: str = Field(min_length=1, max_length=32)
    client_secret: SecretStr = Field(min_length=1, max_length=512)
    audience: str = Field(min_length=1, max_length=32, description="The service to be called.")
