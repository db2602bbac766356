from pydantic import ConfigDict

from services.auth.users.schemas import Password, PasswordInput


class PasswordChange(PasswordInput):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "current_password": "nine unrelated words",
                    "new_password": "seven quite different nouns",
                }
            ]
        }
    )

    current_password: Password
    new_password: Password
