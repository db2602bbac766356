"""The names that SCIM gives things, and how much of them there may be."""

import unicodedata
from typing import Final

from shared.scim import PATH

USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
RESOURCE_TYPE: Final = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
PROVIDER_CONFIG: Final = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
SCHEMA: Final = "urn:ietf:params:scim:schemas:core:2.0:Schema"
LIST_RESPONSE: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
PATCH: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

SCOPE: Final = "user:provision"
PAGE_MAX: Final = 200  # Resources of one answer.
OPERATIONS_MAX: Final = 1000  # Of one PATCH.
TERMS_MAX: Final = 10  # Of one filter.
FILTER_LENGTH_MAX: Final = 1000


def location(kind: str, resource_id: object) -> str:
    """Return the path of a resource; an answer has the public address in front of it."""
    return f"{PATH}/{kind}/{resource_id}"


def tag(version: int) -> str:
    """Return the version of a resource as SCIM and HTTP write it: a weak entity tag."""
    return f'W/"{version}"'


def user_name_form(text: str) -> str:
    """Return the form in which user names are compared: neither case nor width tells them apart.

    So RFC 7643 has it (4.1.1, `caseExact` false). They lead to no mailbox, so this may be wider
    than the form of addresses.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
