"""What models refuse, and why."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import NotFound
from shared.i18n import N_


@dataclass(eq=False)
class ModelNotFound(NotFound):
    slug: ClassVar[str] = "model-not-found"
    title: ClassVar[str] = N_("Model not found")
    detail: ClassVar[str] = N_(
        "There is no model {model}. See /api/ai/models/list for those there are."
    )
    model: str
