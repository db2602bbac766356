from typing import Annotated

from fastapi import Path, Response

from services.auth.requests import Secrets
from services.auth.scim.routes.form import CanProvision, scim_answer, scim_router
from services.auth.scim.rules.discovery import (
    CONFIG,
    RESOURCE_TYPE_LIST,
    RESOURCE_TYPES,
    SCHEMA_LIST,
    SCHEMAS,
)
from shared.errors import NotFound
from shared.web import problems

router = scim_router("")


@router.get("/ServiceProviderConfig", response_description="What is offered (RFC 7643, 5).")
async def get_provider_config(vault: Secrets, _caller: CanProvision) -> Response:
    """Read what of SCIM is offered.

    Changes by PATCH, filters and entity tags are.
    """
    return scim_answer(CONFIG, vault=vault)


@router.get("/ResourceTypes", response_description="The list (RFC 7643, 6).")
async def list_resource_types(vault: Secrets, _caller: CanProvision) -> Response:
    """List the kinds of SCIM resources.

    Users and groups.
    """
    return scim_answer(RESOURCE_TYPE_LIST, vault=vault)


@router.get(
    "/ResourceTypes/{name}",
    response_description="The kind (RFC 7643, 6).",
    responses=problems(NotFound),
)
async def get_resource_type(
    name: Annotated[str, Path(max_length=100, description="User or Group.")],
    vault: Secrets,
    _caller: CanProvision,
) -> Response:
    """Read a kind of SCIM resource."""
    if name not in RESOURCE_TYPES:
        raise NotFound
    return scim_answer(RESOURCE_TYPES[name], vault=vault)


@router.get("/Schemas", response_description="The list (RFC 7643, 7).")
async def list_scim_schemas(vault: Secrets, _caller: CanProvision) -> Response:
    """List the SCIM schemas.

    The attributes of users and groups that are kept.
    """
    return scim_answer(SCHEMA_LIST, vault=vault)


@router.get(
    "/Schemas/{urn}", response_description="The schema (RFC 7643, 7).", responses=problems(NotFound)
)
async def get_scim_schema(
    urn: Annotated[str, Path(max_length=200, description="The URN of the schema.")],
    vault: Secrets,
    _caller: CanProvision,
) -> Response:
    """Read a SCIM schema."""
    if urn not in SCHEMAS:
        raise NotFound
    return scim_answer(SCHEMAS[urn], vault=vault)


@router.get("/{name}", include_in_schema=False)
async def get_nothing(name: str, _caller: CanProvision) -> Response:  # noqa: ARG001 - any word.
    """Say in SCIM's own form that there is nothing here."""
    raise NotFound
