"""Who may do what: each route names the scope it needs, and that is what is checked and shown."""

import time
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant

from shared.errors import (
    LocationNotAllowed,
    MissingScope,
    NotWithApiKey,
    StepUpRequired,
    Unauthorized,
)
from shared.i18n.negotiation import USER_LANGUAGE_HEADER
from shared.principal import MACHINE, Principal
from shared.security.claims import EnrolmentClaims, InvalidToken, ServiceClaims, UserClaims
from shared.web.denials import Denials
from shared.web.requests import get_resources, set_user_language

FRESH_S: Final = 300  # So long a proof of who one is counts for dangerous acts.

FRESH_PROOF: Final = "fresh proof"
ALL_LOCATIONS: Final = "all locations"

_BEARER = "bearer "


class Requires:
    """A dependency that gives the caller, who has a valid token with this scope (if any).

    `fresh`: and proved who he is within FRESH_S. `enrolling`: a token that is good only for
    finishing a sign-in will do. Without a scope it is about the caller's own account, which no key
    may touch unless `machines` may ask too; nor can a key give a fresh proof. `by_location`: what
    the route shows and does is limited to the caller's locations; any other route with a scope
    refuses who is limited to some.
    """

    def __init__(
        self,
        scope: str | None,
        *,
        fresh: bool = False,
        enrolling: bool = False,
        by_location: bool = False,
        machines: bool = False,
    ) -> None:
        self.scope = scope
        self.fresh = fresh
        self.enrolling = enrolling
        self.for_people = fresh or (scope is None and not machines)
        self.for_all_locations = scope is not None and not by_location

    async def __call__(self, request: Request) -> Principal:
        """Return the caller.

        Raises Unauthorized, MissingScope, NotWithApiKey, LocationNotAllowed, StepUpRequired.
        """
        state = request.scope["state"]
        caller: Principal | None = state.get("caller")
        if caller is None:
            caller = state["caller"] = await _verified(request, enrolling=self.enrolling)
            own_language = request.headers.get(USER_LANGUAGE_HEADER) or caller.language
            set_user_language(request, own_language)
        if self.scope is not None and self.scope not in caller.scopes:
            await _journal(request, caller, self.scope)
            raise MissingScope(scope=self.scope)
        if self.for_people and MACHINE in caller.methods:
            raise NotWithApiKey
        if self.for_all_locations and caller.locations is not None:
            await _journal(request, caller, ALL_LOCATIONS)
            raise LocationNotAllowed
        if self.fresh:
            await require_fresh(request, caller)
        return caller

    @property
    def rank(self) -> tuple[bool, bool, bool, bool]:
        """Return how particular it is: of a route's requirements the most particular counts."""
        return (self.scope is not None, self.fresh, self.enrolling, self.for_people)


class RequiresService:
    """A dependency that gives the service that calls, which has a valid token with this scope."""

    def __init__(self, scope: str) -> None:
        self.scope = scope

    async def __call__(self, request: Request) -> ServiceClaims:
        """Return the caller. Raises Unauthorized, MissingScope."""
        state = request.scope["state"]
        caller: ServiceClaims | None = state.get("service_caller")
        if caller is None:
            caller = state["service_caller"] = await _verified_service(request)
        if caller.target != get_resources(request).service:
            raise Unauthorized
        if self.scope not in caller.scopes:
            raise MissingScope(scope=self.scope)
        return caller


async def require_fresh(request: Request, caller: Principal) -> None:
    """Raise StepUpRequired unless the caller proved who he is within FRESH_S."""
    if caller.proved_at < time.time() - FRESH_S:
        await _journal(request, caller, FRESH_PROOF)
        raise StepUpRequired


def requires(
    scope: str | None = None,
    *,
    fresh: bool = False,
    enrolling: bool = False,
    by_location: bool = False,
    machines: bool = False,
) -> Requires:
    """Return the dependency for `scope`; without one, any person signed in will do."""
    return Requires(
        scope, fresh=fresh, enrolling=enrolling, by_location=by_location, machines=machines
    )


def find_gate(dependant: Dependant) -> Requires | RequiresService | None:
    """Return what judges the caller of a route, a person or a service; None where all may come."""
    return find_requirement(dependant) or next(
        (one.call for one in dependant.dependencies if isinstance(one.call, RequiresService)), None
    )


def find_requirement(dependant: Dependant) -> Requires | None:
    """Return the most specific requirement among a route's dependencies."""
    found: Requires | None = None
    for dependency in dependant.dependencies:
        inner = (
            dependency.call
            if isinstance(dependency.call, Requires)
            else find_requirement(dependency)
        )
        if inner is not None and (found is None or inner.rank > found.rank):
            found = inner
    return found


def bearer_token(request: Request) -> str:
    """Return the token of the Authorization header. Raises Unauthorized."""
    header = request.headers.get("authorization", "")
    if header[: len(_BEARER)].lower() != _BEARER:
        raise Unauthorized
    return header[len(_BEARER) :]


async def _journal(request: Request, caller: Principal, needed: str) -> None:
    """Let an auditor see that the caller was refused; a worker's port has no journal."""
    denials: Denials | None = getattr(request.app.state, "denials", None)
    if denials is not None:
        await denials.record(request, caller, needed)


async def _verified(request: Request, *, enrolling: bool) -> Principal:
    resources, token = get_resources(request), bearer_token(request)
    try:
        return principal_of(await resources.users.verify(token))
    except InvalidToken as error:
        if not enrolling:
            raise Unauthorized from error
    try:
        return enrolling_principal_of(await resources.enrolling.verify(token))
    except InvalidToken as error:
        raise Unauthorized from error


async def _verified_service(request: Request) -> ServiceClaims:
    try:
        return await get_resources(request).services.verify(bearer_token(request))
    except InvalidToken as error:
        raise Unauthorized from error


def principal_of(claims: UserClaims) -> Principal:
    return Principal(
        id=claims.sub,
        tenant_id=claims.tid,
        session_id=claims.sid,
        role=claims.role,
        scopes=claims.scopes,
        language=claims.lang,
        methods=claims.amr,
        proved_at=claims.auth_time,
        token_version=claims.ver,
        locations=claims.locations,
    )


def enrolling_principal_of(claims: EnrolmentClaims) -> Principal:
    """Return the caller whose sign-in is not finished: without scopes, and no session yet."""
    return Principal(
        id=claims.sub,
        tenant_id=claims.tid,
        session_id=claims.jti,
        role="enrolling",
        scopes=frozenset(),
        language=claims.lang,
        methods=claims.amr,
        proved_at=claims.iat,
        todo=claims.todo,
        token_version=claims.ver,
    )


SignedIn = Annotated[Principal, Depends(requires())]
Anybody = Annotated[Principal, Depends(requires(machines=True))]  # A person, or a person's key.
