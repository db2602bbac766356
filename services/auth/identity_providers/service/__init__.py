"""A tenant's own identity provider (OpenID Connect): set, and signed in by."""

from services.auth.identity_providers.service.finish import finish_sign_in
from services.auth.identity_providers.service.settle import (
    get_provider,
    remove_provider,
    replace_provider,
)
from services.auth.identity_providers.service.start import start_sign_in

__all__ = [
    "finish_sign_in",
    "get_provider",
    "remove_provider",
    "replace_provider",
    "start_sign_in",
]
