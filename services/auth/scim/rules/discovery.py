"""What this service says of itself to a directory (RFC 7643, 5 to 7)."""

from typing import Any, Final

from services.auth.scim.rules.names import (
    GROUP,
    LIST_RESPONSE,
    PAGE_MAX,
    PROVIDER_CONFIG,
    RESOURCE_TYPE,
    SCHEMA,
    USER,
    location,
)

Json = dict[str, Any]


def _attribute(name: str, description: str, kind: str = "string", **more: Any) -> Json:  # noqa: ANN401 - JSON values.
    text = {"caseExact": False, "uniqueness": "none"} if kind == "string" else {}
    return {
        "name": name,
        "type": kind,
        "multiValued": False,
        "description": description,
        "required": False,
        "mutability": "readWrite",
        "returned": "default",
        **text,
        **more,
    }


def _list_of(resources: list[Json]) -> Json:
    return {
        "schemas": [LIST_RESPONSE],
        "totalResults": len(resources),
        "itemsPerPage": len(resources),
        "startIndex": 1,
        "Resources": resources,
    }


def _meta(kind: str, place: str) -> Json:
    return {"resourceType": kind, "location": place}


_USER_ATTRIBUTES: Final = [
    _attribute("userName", "Unique in the tenant.", required=True, uniqueness="server"),
    _attribute(
        "name",
        "The parts of the name.",
        "complex",
        subAttributes=[
            _attribute("formatted", "The whole name."),
            _attribute("givenName", "The given name."),
            _attribute("familyName", "The family name."),
        ],
    ),
    _attribute("displayName", "The name under which the account is shown."),
    _attribute(
        "emails",
        "The primary one, else the one of type work, is the address of the account. May be left "
        "out where userName is an address.",
        "complex",
        multiValued=True,
        required=True,
        subAttributes=[
            _attribute("value", "An e-mail address.", required=True),
            _attribute("type", "As work or home."),
            _attribute("primary", "Whether it is the one to use.", "boolean"),
        ],
    ),
    _attribute("active", "Whether the account is in use.", "boolean"),
    _attribute("preferredLanguage", "Counts where it is English or French."),
    _attribute(
        "groups",
        "The group of the user's role.",
        "complex",
        multiValued=True,
        mutability="readOnly",
        subAttributes=[
            _attribute("value", "The id of the group.", mutability="readOnly"),
            _attribute(
                "$ref",
                "The address of the group.",
                "reference",
                mutability="readOnly",
                referenceTypes=["Group"],
            ),
            _attribute("display", "The name of the group.", mutability="readOnly"),
            _attribute("type", "Always direct.", mutability="readOnly"),
        ],
    ),
]
_GROUP_ATTRIBUTES: Final = [
    _attribute("displayName", "The role.", mutability="readOnly"),
    _attribute(
        "members",
        "Who has the role; everybody has exactly one.",
        "complex",
        multiValued=True,
        subAttributes=[
            _attribute("value", "The id of a user.", mutability="immutable"),
            _attribute(
                "$ref",
                "The address of the user.",
                "reference",
                mutability="immutable",
                referenceTypes=["User"],
            ),
            _attribute("type", "Always User.", mutability="immutable"),
        ],
    ),
]

SCHEMAS: Final[dict[str, Json]] = {
    urn: {
        "schemas": [SCHEMA],
        "id": urn,
        "name": name,
        "description": description,
        "attributes": attributes,
        "meta": _meta("Schema", location("Schemas", urn)),
    }
    for urn, name, description, attributes in (
        (USER, "User", "An account.", _USER_ATTRIBUTES),
        (GROUP, "Group", "A role.", _GROUP_ATTRIBUTES),
    )
}
RESOURCE_TYPES: Final[dict[str, Json]] = {
    name: {
        "schemas": [RESOURCE_TYPE],
        "id": name,
        "name": name,
        "endpoint": f"/{name}s",
        "description": description,
        "schema": urn,
        "meta": _meta("ResourceType", location("ResourceTypes", name)),
    }
    for name, urn, description in (("User", USER, "Accounts."), ("Group", GROUP, "Roles."))
}
SCHEMA_LIST: Final = _list_of(list(SCHEMAS.values()))
RESOURCE_TYPE_LIST: Final = _list_of(list(RESOURCE_TYPES.values()))
CONFIG: Final[Json] = {
    "schemas": [PROVIDER_CONFIG],
    "patch": {"supported": True},
    "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
    "filter": {"supported": True, "maxResults": PAGE_MAX},
    "changePassword": {"supported": False},
    "sort": {"supported": False},
    "etag": {"supported": True},
    "authenticationSchemes": [
        {
            "type": "oauthbearertoken",
            "name": "API key",
            "description": "An API key with the permission user:provision, as a bearer token.",
            "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
            "primary": True,
        }
    ],
    "meta": _meta("ServiceProviderConfig", "/api/scim/v2/ServiceProviderConfig"),
}
