"""How SCIM says what is refused (RFC 7644, 3.12), for auth and for the gateway before it."""

from typing import Any, Final

PATH: Final = "/api/scim/v2"
MEDIA_TYPE: Final = "application/scim+json"
ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"


def refusal(status: int, detail: str, kind: str | None = None) -> dict[str, Any]:
    """Return the body of a refusal; `kind` is its `scimType`, from table 9 of the RFC."""
    said = {"schemas": [ERROR], "status": str(status), "detail": detail}
    return said | ({"scimType": kind} if kind else {})
