"""What auth journals of refused callers."""

from typing import ClassVar

from shared.journal import AccessDenied


class AuthDenied(AccessDenied):
    name: ClassVar[str] = "auth.access-denied.v1"
