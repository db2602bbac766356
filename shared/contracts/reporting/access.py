"""What reporting journals of refused callers."""

from typing import ClassVar

from shared.journal import AccessDenied


class ReportingDenied(AccessDenied):
    name: ClassVar[str] = "reporting.access-denied.v1"
