"""All that is kept of a person: given out, and erased."""

from services.auth.personal_data.service.erase import erase_person, forget_person
from services.auth.personal_data.service.export import export_person

__all__ = ["erase_person", "export_person", "forget_person"]
