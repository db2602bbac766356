"""How SCIM speaks over HTTP: its media type, its refusals, and who may ask."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Response

from services.auth.scim.errors import OnlyWithApiKey
from services.auth.scim.rules.names import SCOPE
from services.auth.scim.schemas import ScimGroupRead, ScimShown, ScimUserRead
from services.auth.scim.service.users import chosen
from services.auth.vault import Vault
from shared.errors import BadRequest, ValidationFailed
from shared.principal import MACHINE, Principal
from shared.scim import ERROR, MEDIA_TYPE, PATH, refusal
from shared.web import feature_router, requires
from shared.web.problems import RefusalForm
from shared.web.route import ServiceRoute

# The scimType of RFC 7644, table 9, by the code of a problem.
_TYPES: Final[Mapping[str, str]] = {
    "invalid_filter": "invalidFilter",
    "invalid_path": "invalidPath",
    "no_target": "noTarget",
    "groups_are_roles": "mutability",
    "member_not_found": "invalidValue",
    "address_needed": "invalidValue",
    "attribute_not_valid": "invalidValue",
    "user_name_taken": "uniqueness",
    "email_taken": "uniqueness",
}
_ADDRESSES: Final = frozenset({"location", "$ref"})
_SYNTAX: Final = frozenset({"json_invalid", "given_twice"})


def _say(problem: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Return a problem as SCIM says it: with `scimType`, and 400 for what is not valid."""
    status, detail, kind = problem["status"], problem["detail"], _TYPES.get(problem["code"])
    if status == ValidationFailed.status:
        status = BadRequest.status
        errors = problem.get("errors", ())
        kind = "invalidSyntax" if any(e["code"] in _SYNTAX for e in errors) else "invalidValue"
        named = [f"{error['path'].removeprefix('body.')}: {error['message']}" for error in errors]
        detail = " ".join([detail, *named])
    return status, refusal(status, detail, kind)


FORM: Final = RefusalForm(
    MEDIA_TYPE,
    {
        "title": "ScimError",
        "description": "What went wrong (RFC 7644, 3.12); what is no request at all is a problem.",
        "type": "object",
        "required": ["schemas", "status", "detail"],
        "properties": {
            "schemas": {"type": "array", "items": {"type": "string", "const": ERROR}},
            "status": {"type": "string", "examples": ["409"]},
            "scimType": {"type": "string", "examples": ["uniqueness"]},
            "detail": {"type": "string"},
        },
    },
    _say,
)


class ScimRoute(ServiceRoute):
    """A route whose refusals are SCIM's."""

    refusal_form = FORM


def scim_router(path: str) -> APIRouter:
    return feature_router(PATH + path, "scim", route_class=ScimRoute)


async def _provisioning(
    caller: Annotated[Principal, Depends(requires(SCOPE))],
) -> Principal:
    """Return the directory that calls. Raises OnlyWithApiKey."""
    if MACHINE not in caller.methods:
        raise OnlyWithApiKey
    return caller


CanProvision = Annotated[Principal, Depends(_provisioning)]


def scim_answer(
    body: dict[str, Any],
    *,
    vault: Vault,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an answer, whose addresses are those under which the public reaches them."""
    return Response(
        orjson.dumps(_public(body, vault.settings.public_url)),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def resource_answer(
    resource: ScimUserRead | ScimGroupRead, asked: ScimShown, *, vault: Vault, status: int = 200
) -> Response:
    """Return a resource, what of it is asked for, with its address and version as headers."""
    headers = {"Location": vault.settings.public_url + resource.meta.location}
    if resource.meta.version is not None:
        headers["ETag"] = resource.meta.version
    return scim_answer(chosen(resource, asked), vault=vault, status=status, headers=headers)


def _public(value: Any, base: str) -> Any:  # noqa: ANN401 - any JSON value.
    """Return a JSON value with the public address in front of every path to a resource."""
    if isinstance(value, list):
        return [_public(one, base) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: base + one if name in _ADDRESSES else _public(one, base)
        for name, one in value.items()
    }
